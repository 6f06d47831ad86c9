declare module "virtual:chart-layout" {
  const drawn: import("./layout.ts").Drawn
  export default drawn
}
