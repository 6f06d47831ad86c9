/**
 * `npm run docs`: brings up to date what is generated in `docs/`: settings, error codes, events, routes, metrics, what
 * agents inherit, and the charts of the machines; and where these are placed. A test holds the pages to the program.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { layoutsText } from "./chartLayout.ts"
import { agentBlocks } from "./docs/agents.ts"
import { filled } from "./docs/blocks.ts"
import { conceptBlocks, images } from "./docs/charts.ts"
import { eventBlocks, routeBlocks } from "./docs/contract.ts"
import { errorBlocks } from "./docs/errors.ts"
import { metricBlocks } from "./docs/metrics.ts"
import { settingsBlocks } from "./docs/settings.ts"

const root = join(import.meta.dirname, "..")
const docs = join(root, "docs")
const layouts = await layoutsText()

const pages: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "agents.md": agentBlocks,
  "concepts.md": conceptBlocks,
  "errors.md": errorBlocks,
  "events.md": eventBlocks,
  "http.md": routeBlocks,
  "metrics.md": metricBlocks,
  "settings.md": settingsBlocks
}

/** Each generated file with the text that it should have. */
const files = (): ReadonlyArray<readonly [path: string, text: string]> => [
  ...Object.entries(pages).map(([name, blocks]) => {
    const path = join(docs, name)
    return [path, filled(readFileSync(path, "utf8"), `docs/${name}`, blocks)] as const
  }),
  ...Object.entries(images).map(([name, text]) => [join(docs, "images", name), text] as const),
  [join(root, "src", "inspect", "chart", "layouts.json"), layouts]
]

/** The generated files that are not what the program would write now. */
export const outdated = (): ReadonlyArray<string> =>
  files()
    .filter(([path, text]) => !existsSync(path) || readFileSync(path, "utf8") !== text)
    .map(([path]) => path)

if (import.meta.main) {
  for (const [path, text] of files()) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
}
