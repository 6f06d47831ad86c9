/** Who waits for an approval is answered also where the session's actor ends first. */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Queue, Scope } from "effect"
import { begin } from "../../machines/decide.ts"
import { sessionMachine } from "../../machines/session/machine.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { RuntimeSettings } from "../../src/runtime/RuntimeSettings.ts"
import type { Envelope, Reply } from "../../src/session/Envelope.ts"
import * as PendingApprovals from "../../src/session/PendingApprovals.ts"
import { Session } from "../../src/session/Session.ts"
import { makeHandle } from "../../src/session/SessionHandle.ts"
import { id, session } from "../ledger/samples.ts"

const settings = { dataDir: ":memory:", limits: defaultLimits, agents: {}, defaultAgent: null, run: {} }
const layer = Layer.merge(SqliteLedger.layer(":memory:"), Layer.succeed(RuntimeSettings, settings))

const reply: Reply = { from: "turning.running", to: "turning.asking", turn: 1, after: 0 }

const question = { id: "1", turn: 1, title: "touch a", toolCallId: null, raw: {} }

it.effect("a request is denied, and a question has no answers, when the actor ends while they wait", () =>
  Effect.gen(function* () {
    const mailbox = yield* Queue.unbounded<Envelope>()
    const state = new Session(session(), begin(sessionMachine, undefined).next, 0)
    const actor = yield* Scope.make()
    const approvals = yield* Scope.provide(actor)(PendingApprovals.make(makeHandle(id, mailbox), state))
    const action = { _tag: "Command", text: "touch a", argv: null, directories: [] } as const
    const requested = yield* Effect.forkChild(approvals.request({ ...question, kind: "execute", action }))
    const asked = yield* Effect.forkChild(approvals.ask({ ...question, fields: [] }))
    for (const { replyTo } of [yield* Queue.take(mailbox), yield* Queue.take(mailbox)]) {
      yield* Deferred.succeed(replyTo!, reply)
    }
    yield* Scope.close(actor, Exit.void)
    assert.strictEqual(yield* Fiber.join(requested), "deny")
    assert.isNull(yield* Fiber.join(asked))
  }).pipe(Effect.provide(layer))
)
