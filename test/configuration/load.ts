/** Loads the configuration in a temporary working directory, from the given flags, environment and file. */
import { Effect, Option } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Configuration from "../../src/configuration/Configuration.ts"

export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-config-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

export interface Given {
  readonly flags?: Configuration.Sources["flags"]
  readonly env?: Configuration.Sources["env"]
  readonly file?: unknown
  readonly config?: string
}

/** `file` is written to `troupe.config.json` in the working directory. */
export const load = Effect.fnUntraced(function* ({ config, env = {}, file, flags = {} }: Given) {
  const cwd = yield* directory
  if (file !== undefined) {
    const text = typeof file === "string" ? file : JSON.stringify(file)
    yield* Effect.sync(() => writeFileSync(join(cwd, "troupe.config.json"), text))
  }
  const loaded = yield* Configuration.load({
    flags,
    env,
    cwd,
    config: Option.fromUndefinedOr(config),
    isTerminal: false
  })
  return { ...loaded, cwd }
}, Effect.scoped)
