/**
 * Tells the directories that npm put on PATH from the user's own.
 *
 * `npm start` and `npx` put `node_modules/.bin` of the package and of each directory above it in front of PATH, and a
 * directory with its own `node-gyp`. A child that inherited them would work with the tools that Troupe was built with (its
 * `node`, `tsc`, `vitest`) instead of the user's.
 */
import { delimiter, dirname, join } from "node:path"
import * as Executable from "./executable.ts"

type Source = Readonly<Record<string, string | undefined>>

export interface SplitPath {
  /** The user's own. `undefined`: there is no PATH. */
  readonly own: string | undefined
  /** What npm added, in its order; empty where no npm started us. */
  readonly added: ReadonlyArray<string>
}

/** Also pnpm and yarn set these, and add the same directories. */
const signs = ["npm_execpath", "npm_lifecycle_event", "npm_command", "npm_config_user_agent"]

/** npm's and pnpm's `node-gyp`, the directory of a package that `npx` downloaded, and yarn's of its own `node`. */
const ofNpm = /\/node-gyp-bin\/?$|\/_npx\/[0-9a-f]+\/node_modules\/\.bin\/?$|\/yarn--[0-9.-]+\/?$/

export const splitPath = (from: Source): SplitPath => {
  const path = from["PATH"]
  if (path === undefined || !signs.some((name) => (from[name] ?? "") !== "")) return { own: path, added: [] }
  const packages = [
    from["npm_config_local_prefix"],
    from["npm_package_json"] === undefined ? undefined : dirname(from["npm_package_json"])
  ]
  const ofPackages = new Set(packages.flatMap((directory) => (directory === undefined ? [] : binariesAbove(directory))))
  const isAdded = (entry: string) => ofNpm.test(entry) || ofPackages.has(entry.replace(/\/+$/, ""))
  const entries = path.split(delimiter)
  const own = entries.filter((entry) => !isAdded(entry)).join(delimiter)
  // Scripts of agents begin with `#!/usr/bin/env node`. Where only npm's directories have a node, ours takes its place.
  const hasNode = Executable.find("node", own) !== null || Executable.find("node", path) === null
  return {
    own: hasNode ? own : [own, dirname(process.execPath)].filter((part) => part !== "").join(delimiter),
    added: entries.filter(isAdded)
  }
}

/** `node_modules/.bin` of the directory, and of each above it. */
const binariesAbove = (directory: string): ReadonlyArray<string> => {
  const above = dirname(directory)
  return [join(directory, "node_modules", ".bin"), ...(above === directory ? [] : binariesAbove(above))]
}
