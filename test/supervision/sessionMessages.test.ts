/** Messages between the services and a session's owner: what they say is the same on another machine. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Draining, Unavailable } from "../../src/domain/Refusal.ts"
import { Ledger, LedgerError } from "../../src/ledger/Ledger.ts"
import { ledgerAway } from "../../src/runtime/errors.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { failedBy } from "../../src/supervision/expectEnds.ts"
import { SessionHost } from "../../src/supervision/SessionHost.ts"
import { SessionFailed, sessionMessages } from "../../src/supervision/sessionMessages.ts"
import { id } from "../ledger/samples.ts"
import { app, ours, until, untilRunning, withRuntime } from "../services/harness.ts"

const codec = Schema.fromJsonString(Schema.toCodecJson(SessionFailed))
const overWire = (failed: SessionFailed) => Schema.decodeSync(codec)(Schema.encodeSync(codec)(failed))

describe("a failure of a session's owner", () => {
  const away = ledgerAway({ since: 0, reason: "disk full", kind: "full", holding: false }, "store anything")
  const causes: ReadonlyArray<readonly [string, unknown]> = [
    ["ledger_away", away],
    ["draining", new Draining({})],
    ["session_damaged", { damaged: true }],
    ["unavailable", new LedgerError({ operation: "write", cause: new Error("constraint"), kind: "constraint" })]
  ]

  it.each(causes)("is %s for the one who asked, here and from another machine", (code, cause) => {
    const failed = failedBy(id, cause)
    for (const seen of [failed, overWire(failed), overWire(overWire(failed))]) {
      assert.strictEqual(new Unavailable({ operation: "take the turn", cause: seen }).code, code)
    }
  })
})

describe("the messages", () => {
  it("hold nothing but JSON: each has a schema for its request, its answer and its errors", () => {
    for (const [name, { answer, error, request }] of Object.entries(sessionMessages)) {
      for (const schema of [request, answer, error]) {
        assert.doesNotThrow(() => Schema.toCodecJson(schema as Schema.Codec<unknown, unknown>), name)
      }
    }
  })

  it.effect("an interrupt without a number is for the turn that its owner has open, and the answer names it", () =>
    Effect.gen(function* () {
      const [host, sessions] = [yield* SessionHost, yield* Sessions]
      const session = (yield* sessions.create(app, {})).id
      yield* sessions.submit(ours, session, { prompt: "hang" })
      yield* untilRunning(session)
      yield* sessions.submit(ours, session, { prompt: "next", queue: true })
      const asked = { session, by: "ours", reason: "interrupted by ours" }
      assert.deepStrictEqual(yield* host.interrupt({ ...asked, turn: 2 }), { isTaken: true, turn: 2, isOpen: false })
      const { isOpen, isTaken, turn } = yield* host.interrupt({ ...asked, turn: null })
      assert.deepStrictEqual([isTaken, turn, isOpen], [true, 1, true])
      const ledger = yield* Ledger
      yield* until(
        "the end of the turn",
        Effect.map(ledger.turns(session, 0, 10), (turns) => turns.every(({ endedAt }) => endedAt !== null))
      )
      assert.isFalse((yield* host.interrupt({ ...asked, turn: null })).isTaken)
    }).pipe(withRuntime())
  )
})
