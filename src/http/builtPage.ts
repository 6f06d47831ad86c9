/** Where `npm run page` has put what browsers load: in a checkout beside the sources, in the package beside the compiled ones. */
import { join } from "node:path"

export const builtPage = import.meta.filename.endsWith(".ts")
  ? join(import.meta.dirname, "..", "..", "dist", "page")
  : join(import.meta.dirname, "..", "..", "page")

export const notBuilt = {
  code: "page_not_built",
  status: 503,
  detail: "The page is not built. Run `npm run page` in Troupe's checkout, then load this again.",
  retryAfterSeconds: 10
} as const
