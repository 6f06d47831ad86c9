declare module "virtual:chart-layout" {
  import type { Drawn } from "./layout.ts"

  const drawn: Drawn
  export default drawn
}
