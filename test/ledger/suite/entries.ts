/** Every kind of entry is written and read back as it was. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { FileId, LeaseId, SessionId } from "../../../src/domain/Ids.ts"
import { troupeMessage } from "../../../src/domain/Acp.ts"
import { app, event, id, lease, opened, otherApp, eventAppended, session, step, turn, usage } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

export const entries = ({ onLedger }: LedgerUnderTest) => {
  it.effect("a session comes back as it was put in, and with what was changed since", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([opened({}, { value: { idle: "asleep" }, context: { n: 1 } })])
        assert.deepStrictEqual(yield* ledger.session(id), Option.some(session()))
        assert.deepStrictEqual(yield* ledger.snapshot(id), { value: { idle: "asleep" }, context: { n: 1 } })
        assert.deepStrictEqual(yield* ledger.session(SessionId.make("ses_nobody")), Option.none())
        assert.strictEqual(yield* ledger.snapshot(SessionId.make("ses_nobody")), null)

        const patch = {
          state: "closed",
          substate: "closed",
          turnCount: 3,
          lastActivityAt: 1_700_000_009_000,
          lastTurnAt: 1_700_000_008_000,
          closedAt: 1_700_000_009_000,
          threadId: "thread",
          restarts: 2,
          usage: usage(5)
        } as const
        yield* ledger.write([
          { _tag: "SessionPatched", session: id, patch: { ...patch, snapshot: { value: "closed" } } }
        ])
        assert.deepStrictEqual(yield* ledger.session(id), Option.some(session(patch)))
        assert.deepStrictEqual(yield* ledger.snapshot(id), { value: "closed" })
      })
    )
  )

  it.effect("steps, outbox commands and timers come back until they are done and disarmed", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const prompt = {
          session: id,
          step: 1,
          nth: 1,
          type: "prompt",
          params: { turn: 1 },
          once: true,
          claimed: false
        } as const
        const start = { ...prompt, nth: 0, type: "start", params: null, once: false }
        const deadline = { session: id, timer: "turn", dueAt: 1_700_000_600_000, event: { type: "deadline" } }
        assert.strictEqual(yield* ledger.lastStep(id), 0)
        yield* ledger.write([
          opened(),
          { _tag: "StepAppended", step: step() },
          { _tag: "StepAppended", step: step({ seq: 2, commands: [] }) },
          { _tag: "CommandQueued", command: prompt },
          { _tag: "CommandQueued", command: start },
          { _tag: "TimerArmed", timer: { ...deadline, dueAt: 1 } },
          { _tag: "TimerArmed", timer: deadline }
        ])
        assert.strictEqual(yield* ledger.lastStep(id), 2)
        assert.deepStrictEqual(yield* ledger.steps(id, 0, 1), [step()])
        assert.deepStrictEqual(yield* ledger.steps(id, 1, 10), [step({ seq: 2, commands: [] })])
        assert.deepStrictEqual(yield* ledger.outbox(id), [start, prompt])
        assert.deepStrictEqual(yield* ledger.timers(id), [deadline])

        yield* ledger.write([
          { _tag: "CommandClaimed", session: id, step: 1, nth: 1 },
          { _tag: "CommandDone", session: id, step: 1, nth: 0 },
          { _tag: "CommandDone", session: id, step: 1, nth: 0 },
          { _tag: "TimerDisarmed", session: id, timer: "turn" },
          { _tag: "TimerDisarmed", session: id, timer: "never armed" }
        ])
        assert.deepStrictEqual(yield* ledger.outbox(id), [{ ...prompt, claimed: true }])
        assert.deepStrictEqual(yield* ledger.timers(id), [])
      })
    )
  )

  it.effect("steps know whether the agent's line is kept, and of which the processes tell", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const started = step({ seq: 1, from: "turning.queued", to: "turning.starting", commands: ["startProcess"] })
        const ended = step({ seq: 2, from: "turning.running", to: "idle.awake", commands: ["settleTurn"] })
        const stayed = step({ seq: 3, from: "idle.awake", to: "idle.awake", commands: [] })
        const retires = step({ seq: 4, from: "idle.awake", to: "retiring.asking", commands: ["askToExit"] })
        const gone = step({
          seq: 5,
          event: { type: "process.gone" },
          from: "retiring.asking",
          to: "idle.asleep",
          commands: []
        })
        yield* ledger.write([
          opened(),
          { _tag: "StepAppended", step: started },
          { _tag: "StepAppended", step: ended, wire: `{"id":3}` },
          { _tag: "StepAppended", step: stayed, wire: null }
        ])
        assert.deepStrictEqual(yield* ledger.steps(id, 0, 10), [started, { ...ended, hasWire: true }, stayed])
        assert.deepStrictEqual(yield* ledger.wireLine(id, 2), Option.some(`{"id":3}`))
        assert.deepStrictEqual(yield* ledger.wireLine(id, 3), Option.none())
        assert.deepStrictEqual(yield* ledger.wireLine(id, 9), Option.none())
        yield* ledger.write([
          { _tag: "StepAppended", step: retires },
          { _tag: "StepAppended", step: gone }
        ])
        assert.deepStrictEqual(yield* ledger.processSteps(id, 10), [started, retires, gone])
        assert.deepStrictEqual(yield* ledger.processSteps(id, 2), [retires, gone])
      })
    )
  )

  it.effect("turns come back with their outcome, open ones apart", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([
          opened(),
          { _tag: "TurnInserted", record: turn() },
          { _tag: "TurnInserted", record: turn({ index: 2, status: "queued", kind: "compact" }) }
        ])
        const outcome = {
          status: "failed",
          endedAt: 1_700_000_005_000,
          stopReason: "error",
          usage: usage(3),
          failure: { class: "crash", message: "It died.", stderr: "panic" },
          interrupted: true,
          toolIterations: 4,
          threadId: "thread",
          agentTurnId: "turn",
          contextLost: true
        } as const
        yield* ledger.write([{ _tag: "TurnPatched", session: id, index: 1, patch: outcome }])
        const waiting = turn({ index: 2, status: "queued", kind: "compact" })
        assert.deepStrictEqual(yield* ledger.turn(id, 1), Option.some(turn(outcome)))
        assert.deepStrictEqual(yield* ledger.turn(id, 3), Option.none())
        assert.deepStrictEqual(yield* ledger.turns(id, 0, 10), [turn(outcome), waiting])
        assert.deepStrictEqual(yield* ledger.turns(id, 1, 10), [waiting])
        assert.deepStrictEqual(yield* ledger.openTurns(id), [waiting])
      })
    )
  )

  it.effect("events come back in order, by place and by turn, a late one too", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const news = event(3, { turn: null, message: troupeMessage("process", { state: "up" }) })
        yield* ledger.write([
          opened(),
          eventAppended(1),
          eventAppended(2, { turn: 2 }),
          { _tag: "EventAppended", event: news },
          eventAppended(4)
        ])
        assert.strictEqual(yield* ledger.lastEvent(id), 4)
        assert.deepStrictEqual(yield* ledger.events(id, 1, 2), [event(2, { turn: 2 }), news])
        assert.deepStrictEqual(yield* ledger.eventsOfTurn(id, 1), [event(1), event(4)])
        assert.strictEqual(yield* ledger.lastEvent(SessionId.make("ses_nobody")), 0)
      })
    )
  )

  it.effect("leases, files, receipts and the audit trail come back", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const file = { id: FileId.make("file_1"), app, name: "a b.txt", size: 3, path: "/x/a b.txt", createdAt: 5 }
        const receipt = { app, key: "k", fingerprint: "f", createdAt: 5, response: null }
        const line = { at: 5, session: id, app, action: "create", actor: app, detail: { agent: "demo" } }
        yield* ledger.write([
          opened(),
          { _tag: "LeaseOpened", lease: lease() },
          { _tag: "LeaseOpened", lease: lease({ id: LeaseId.make("lea_run"), session: null, openedAt: 1 }) },
          { _tag: "LeaseSpawned", lease: LeaseId.make("lea_1"), pid: 42, startTime: "987" },
          { _tag: "FileInserted", record: file },
          { _tag: "ReceiptOpened", receipt },
          { _tag: "Audited", record: line },
          { _tag: "Audited", record: { ...line, action: "close", session: null, app: null } }
        ])
        assert.deepStrictEqual(yield* ledger.leases, [
          lease({ id: LeaseId.make("lea_run"), session: null, openedAt: 1 }),
          lease({ pid: 42, startTime: "987" })
        ])
        yield* ledger.write([{ _tag: "LeaseClosed", lease: LeaseId.make("lea_run") }])
        assert.strictEqual((yield* ledger.leases).length, 1)

        assert.deepStrictEqual(yield* ledger.file(app, file.id), Option.some(file))
        assert.deepStrictEqual(yield* ledger.file(otherApp, file.id), Option.none())
        assert.deepStrictEqual(yield* ledger.filesBefore(5, 10), [])
        assert.deepStrictEqual(yield* ledger.filesBefore(6, 10), [file])
        yield* ledger.removeFiles([file.id])
        assert.deepStrictEqual(yield* ledger.file(app, file.id), Option.none())

        assert.deepStrictEqual(yield* ledger.receipt(app, "k"), Option.some(receipt))
        const response = { status: 200, body: '{"ok": true}' }
        yield* ledger.write([{ _tag: "ReceiptAnswered", app, key: "k", response }])
        assert.deepStrictEqual(yield* ledger.receipt(app, "k"), Option.some({ ...receipt, response }))
        yield* ledger.write([{ _tag: "ReceiptOpened", receipt: { ...receipt, key: "l", createdAt: 9 } }])
        assert.strictEqual(yield* ledger.removeReceipts(6), 1)
        yield* ledger.write([{ _tag: "ReceiptForgotten", app, key: "l" }])
        assert.deepStrictEqual(yield* ledger.receipt(app, "l"), Option.none())

        assert.deepStrictEqual(yield* ledger.audit(id, 10), [line])
      })
    )
  )

  it.effect("an audit trail goes whole, long after its session was buried, the oldest first", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const lines = (of: string, buriedAt: number | null) =>
          [
            { at: 1, action: "create" },
            { at: 2, action: "close" },
            ...(buriedAt === null ? [] : [{ at: buriedAt, action: "sweep_delete" }])
          ].map(({ action, at }) => ({
            _tag: "Audited" as const,
            record: { at, session: SessionId.make(of), app, action, actor: "troupe", detail: {} }
          }))
        yield* ledger.write([...lines("ses_late", 9), ...lines("ses_early", 5), ...lines("ses_open", null)])
        const left = (of: string) => Effect.map(ledger.audit(SessionId.make(of), 10), ({ length }) => length)
        assert.strictEqual(yield* ledger.removeAudit(5, 10), 0)
        assert.strictEqual(yield* ledger.removeAudit(10, 1), 3)
        assert.deepStrictEqual([yield* left("ses_early"), yield* left("ses_late"), yield* left("ses_open")], [0, 3, 2])
        assert.strictEqual(yield* ledger.removeAudit(10, 10), 3)
        assert.deepStrictEqual([yield* left("ses_late"), yield* left("ses_open")], [0, 2])
      })
    )
  )

  it.effect("an app is found by its live token's hash alone", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const found = (tokenHash: string) =>
          Effect.map(
            ledger.appByToken(tokenHash),
            Option.map(({ app }) => app)
          )
        yield* ledger.write([{ _tag: "AppInserted", name: app, at: 1, tokenHash: "h1" }, opened()])
        assert.deepStrictEqual(yield* ledger.apps, [{ name: app, createdAt: 1, revokedAt: null, openSessions: 1 }])
        assert.deepStrictEqual(yield* found("h1"), Option.some(app))
        yield* ledger.write([{ _tag: "AppTokenReplaced", name: app, at: 2, tokenHash: "h2" }])
        assert.deepStrictEqual([yield* found("h1"), yield* found("h2")], [Option.none(), Option.some(app)])
        yield* ledger.write([{ _tag: "AppRevoked", name: app, at: 3 }])
        assert.deepStrictEqual(yield* found("h2"), Option.none())
        yield* ledger.write([{ _tag: "AppInserted", name: app, at: 4, tokenHash: "h3" }])
        assert.deepStrictEqual(yield* ledger.apps, [{ name: app, createdAt: 4, revokedAt: null, openSessions: 1 }])
      })
    )
  )

  it.effect("a ping writes and reads a row", () => onLedger((ledger) => Effect.andThen(ledger.ping, ledger.ping)))
}
