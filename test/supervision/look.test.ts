/** What a session's owner alone knows of it, and what is shown where it does not answer. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { noUsage } from "../../src/domain/Turn.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import * as ViewSessions from "../../src/services/sessionView.ts"
import { SessionHost } from "../../src/supervision/SessionHost.ts"
import { id, session } from "../ledger/samples.ts"
import { app, ours, untilRunning, withRuntime } from "../services/harness.ts"

it.effect("a look says of each session which actor is loaded and what it has refused, and loads none", () =>
  Effect.gen(function* () {
    const [host, sessions] = [yield* SessionHost, yield* Sessions]
    const [running, asleep] = [(yield* sessions.create(app, {})).id, (yield* sessions.create(app, {})).id]
    yield* sessions.submit(ours, running, { prompt: "hang" })
    yield* untilRunning(running)
    yield* Effect.flip(sessions.submit(ours, running, { prompt: "hello" }))
    for (const _twice of [1, 2]) {
      const [one, other] = yield* host.look({ sessions: [running, asleep], parts: ["vitals", "tree"] })
      assert.deepInclude(one, { _tag: "Seen", session: running, vitals: null, tree: [] })
      assert.deepInclude(other, { _tag: "Seen", session: asleep, actor: null, pid: null, lease: null, refused: [] })
      if (one?._tag !== "Seen") return assert.fail("it was not seen")
      assert.strictEqual(one.actor?.state, "turning.running")
      assert.deepStrictEqual(
        one.refused.map(({ event, state }) => ({ event, state })),
        [{ event: "turn.submitted", state: "turning.running" }]
      )
    }
    assert.deepStrictEqual(yield* host.look({ sessions: [], parts: [] }), [])
  }).pipe(withRuntime())
)

const silent = Layer.mock(SessionHost)({
  loaded: () => null,
  look: ({ sessions }) =>
    Effect.succeed(sessions.map((session) => ({ _tag: "NotSeen", session, node: "b", since: 5 }) as const))
})

it.effect("a session whose node does not answer is seen as it is stored, and said to be no more than that", () =>
  Effect.gen(function* () {
    const { view } = yield* ViewSessions.make
    const { choices, process, usage } = yield* view(session({ id, substate: "turning.running", restarts: 2 }))
    const unseen = { node: "b", since: 5 }
    assert.deepStrictEqual(process, { state: "up", pid: null, restarts: 2, configured: null, unseen })
    assert.deepStrictEqual([choices, usage], [null, noUsage])
  }).pipe(Effect.provide(Layer.merge(silent, SqliteLedger.layer(":memory:"))))
)
