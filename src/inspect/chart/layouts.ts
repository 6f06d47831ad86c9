/** Where the machines' charts are placed, as the page places them; `npm run docs` writes the file, and a test holds it to the machines. */
import type { Drawn } from "./drawn.ts"
import layoutsJson from "./layouts.json" with { type: "json" }

export const layouts = layoutsJson as Readonly<Record<"review" | "session", Drawn>>
