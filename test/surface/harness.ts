/** A whole Troupe in this process: real ledger file, real processes of the demo agent, a scripted `claude` for runs. */
import { Context, Effect, Layer, Logger, Option, Redacted } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { defaultLimits } from "../../src/domain/Settings.ts"
import type { RunSpec } from "../../src/domain/Settings.ts"
import * as Runtime from "../../src/wiring.ts"
import type { TroupeSettings } from "./Surface.ts"

export const adminToken = "an-admin-token-for-tests"

/** A `claude` that does what the script says; see the fixture. */
export const claude = (script: string): RunSpec => ({
  command: [process.execPath, new URL("../fixtures/agents/claude.ts", import.meta.url).pathname],
  env: { FAKE_CLAUDE: script }
})

/** A new data dir, removed with the scope. */
export const dataDir = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "troupe-surface-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true, maxRetries: 5 }))
)

export const startRuntime = (settings: TroupeSettings = {}) =>
  Effect.gen(function* () {
    const layer = Runtime.layer(
      {
        dataDir: yield* dataDir,
        limits: { ...defaultLimits, ...settings.limits },
        agents: settings.agents ?? {},
        defaultAgent: "demo",
        run: settings.run ?? claude("say hello")
      },
      { adminToken: Option.some(Redacted.make(adminToken)) }
    )
    const built = yield* Layer.build(layer).pipe(Effect.orDie)
    // The runtime would log a lot about what the suite does to it on purpose.
    return Context.merge(built, yield* Layer.build(Logger.layer([])))
  }).pipe(Effect.provide(Logger.layer([])))
