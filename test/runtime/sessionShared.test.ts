/** What the sessions of a runtime share, as its settings say. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { defaultLimits } from "../../src/domain/Settings.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import { RuntimeSettings } from "../../src/runtime/RuntimeSettings.ts"
import { SessionShared } from "../../src/runtime/SessionShared.ts"

const startWithin = (agents: Settings["agents"]) =>
  Effect.map(SessionShared, ({ machine }) => machine.implementations.delays["startWithin"]).pipe(
    Effect.provide(SessionShared.layer),
    Effect.provide(
      Layer.succeed(RuntimeSettings, {
        dataDir: ":memory:",
        limits: defaultLimits,
        agents,
        defaultAgent: null,
        run: {}
      })
    )
  )

it.effect("the machine gives a start longer than any agent's own deadline for it", () =>
  Effect.gen(function* () {
    const slow = { protocol: "acp", command: ["slow"], startTimeout: "2 minutes" } as const
    assert.strictEqual(yield* startWithin({}), 120_000)
    assert.strictEqual(yield* startWithin({ slow, quick: { ...slow, startTimeout: "5 seconds" } }), 135_000)
  })
)
