declare module "virtual:chart-layout" {
  import type { Laid } from "../../../chart/drawn.ts"

  const laid: Laid
  export default laid
}
