/** Where `npm run page` has put what browsers load: in a checkout beside the sources, in the package beside the compiled ones. */
import { join } from "node:path"
import process from "node:process"

/** A bundle in CommonJS does not know its own place. */
const here = (import.meta.dirname as string | undefined) ?? process.cwd()

export const builtPage = (import.meta.filename as string | undefined)?.endsWith(".ts")
  ? join(here, "..", "..", "dist", "page")
  : join(here, "..", "..", "page")

export const notBuilt = {
  code: "page_not_built",
  status: 503,
  detail: `The page is not in ${builtPage}. In a checkout run \`npm run page\`; an app that is bundled into one file needs a copy of node_modules/troupe/dist/page there. Then load this again.`,
  retryAfterSeconds: 10
} as const
