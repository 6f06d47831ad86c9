/** Every kind of entry is written and read back as it was. */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Option, Result } from "effect"
import { SessionId } from "../../../src/domain/Ids.ts"
import { troupeMessage } from "../../../src/domain/events/troupeMessage.ts"
import { EventRows } from "../../../src/session/EventRows.ts"
import { event, eventAppended, id, opened, session, step, turn, usage } from "../samples.ts"
import type { TurnPatch } from "../../../src/ledger/LedgerWrite.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

const note = troupeMessage("unreadable", { note: "up" })

export const entries = ({ onLedger }: LedgerUnderTest) => {
  it.effect("a session is read as it was inserted, and with its patches", () =>
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

  it.effect("steps stay, outbox commands are read until they are done, and timers until they are disarmed", () =>
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

  it.effect("steps say whether they have a wire line, and the steps of processes are read apart", () =>
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

  it.effect("turns are read with their outcome, and the open ones apart", () =>
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
      })
    )
  )

  it.effect("a turn is found by its submission, in its session, until that is free again", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const submission = { id: "k", fingerprint: "f" }
        yield* ledger.write([
          opened(),
          { _tag: "TurnInserted", record: turn() },
          { _tag: "TurnInserted", record: turn({ index: 2, status: "queued" }), submission },
          { _tag: "TurnInserted", record: turn({ index: 3 }), submission: { id: "l", fingerprint: null } }
        ])
        const found = (name: string) => Effect.map(ledger.turnOfSubmission(id, name), Option.getOrNull)
        assert.deepStrictEqual(yield* found("k"), { index: 2, fingerprint: "f", isOpen: true })
        assert.deepStrictEqual(yield* found("l"), { index: 3, fingerprint: null, isOpen: true })
        assert.isNull(yield* found("m"))
        assert.isTrue(Option.isNone(yield* ledger.turnOfSubmission(SessionId.make("ses_other"), "k")))
        const several = yield* ledger.turnsOfSubmissions(id, ["l", "m", "k"])
        assert.deepStrictEqual(
          ["k", "l", "m"].map((name) => several.get(name)?.index),
          [2, 3, undefined]
        )
        assert.strictEqual((yield* ledger.turnsOfSubmissions(SessionId.make("ses_other"), ["k"])).size, 0)
        const patch = { status: "interrupted", endedAt: 5, stopReason: "cancelled" } as const
        yield* ledger.write([{ _tag: "TurnPatched", session: id, index: 2, patch }])
        assert.isFalse((yield* found("k"))?.isOpen)
        yield* ledger.write([{ _tag: "SubmissionFreed", session: id, index: 2 }])
        assert.isNull(yield* found("k"))
        yield* ledger.write([{ _tag: "TurnInserted", record: turn({ index: 4 }), submission }])
        assert.strictEqual((yield* found("k"))?.index, 4)
      })
    )
  )

  it.effect("a commit has as many events as it wants, of more than one session, each as it was", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const other = SessionId.make("ses_other")
        yield* ledger.write([opened(), opened({ id: other })])
        const numbers = Array.from({ length: 40 }, (_, nth) => nth + 1)
        const entries = numbers.flatMap((seq) => {
          const one = eventAppended(seq, { turn: seq % 3 === 0 ? null : seq })
          return seq % 20 === 0 ? [one, eventAppended(seq / 20, { session: other })] : [one]
        })
        yield* ledger.write(entries)
        const events = entries.flatMap((entry) => (entry._tag === "EventAppended" ? [entry.event] : []))
        for (const of of [id, other]) {
          assert.deepStrictEqual(
            yield* ledger.events(of, 0, 100),
            events.filter(({ session }) => session === of)
          )
        }
        assert.isTrue(Exit.isFailure(yield* Effect.exit(ledger.write([eventAppended(41), eventAppended(40)]))))
        assert.strictEqual(yield* ledger.lastEvent(id), 40)
      })
    )
  )

  it.effect("events are read in order, by number and by turn, a late event of a turn too", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const processUp = event(3, { turn: null, message: note })
        yield* ledger.write([
          opened(),
          eventAppended(1),
          eventAppended(2, { turn: 2 }),
          { _tag: "EventAppended", event: processUp },
          eventAppended(4)
        ])
        assert.strictEqual(yield* ledger.lastEvent(id), 4)
        assert.deepStrictEqual(yield* ledger.events(id, 1, 2), [event(2, { turn: 2 }), processUp])
        assert.deepStrictEqual(yield* ledger.eventsOfTurn(id, 1), [event(1), event(4)])
        assert.strictEqual(yield* ledger.lastEvent(SessionId.make("ses_nobody")), 0)
      })
    )
  )

  it.effect("a turn's events are found between its bounds, while it runs and when one came late", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const last = (index: number, last: number, patch: TurnPatch = {}) =>
          ({ _tag: "TurnPatched", session: id, index, patch, last }) as const
        const ended = { status: "completed", endedAt: 5, stopReason: "end_turn" } as const
        const ofTurns = (turn: number | null, ...seqs: ReadonlyArray<number>) =>
          seqs.map((seq) => eventAppended(seq, turn === null ? { turn, message: note } : { turn }))
        yield* ledger.write([
          opened(),
          ...ofTurns(1, 1),
          { _tag: "TurnInserted", record: turn({ index: 1 }), after: 0 },
          // The second waits in line while the first runs.
          ...ofTurns(2, 2),
          { _tag: "TurnInserted", record: turn({ index: 2 }), after: 1 },
          ...ofTurns(1, 3)
        ])
        const [first, second] = [ledger.eventsOfTurn(id, 1), ledger.eventsOfTurn(id, 2)]
        assert.deepStrictEqual(yield* first, [event(1), event(3)])
        yield* ledger.write([...ofTurns(1, 4), last(1, 4, ended), ...ofTurns(null, 5)])
        yield* ledger.write([...ofTurns(2, 6), ...ofTurns(1, 7), last(1, 7), ...ofTurns(2, 8), last(2, 8, ended)])
        assert.deepStrictEqual(yield* first, [event(1), event(3), event(4), event(7)])
        assert.deepStrictEqual(
          yield* second,
          [2, 6, 8].map((seq) => event(seq, { turn: 2 }))
        )
      })
    )
  )

  it.effect("events that share a row are read from each of them on, and a row gets more at its end only", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const rows = new EventRows()
        const all = [
          ...Array.from({ length: 5 }, (_, nth) => event(nth + 1)),
          event(6, { turn: null, message: note }),
          ...Array.from({ length: 9 }, (_, nth) => event(nth + 7, { turn: 2 })),
          event(16)
        ]
        const entriesOf = (from: number, to: number) => rows.entriesOf(all.slice(from - 1, to)).entries
        yield* ledger.write([opened(), ...entriesOf(1, 2)])
        yield* ledger.write(entriesOf(3, 3))
        yield* ledger.write(entriesOf(4, 8))
        const continuing = entriesOf(9, 12)
        yield* ledger.write(continuing)
        yield* ledger.write(entriesOf(13, 16))
        assert.isTrue(
          Result.isFailure(yield* Effect.result(ledger.write(continuing))),
          "it would have been twice there"
        )
        assert.strictEqual(yield* ledger.lastEvent(id), 16)
        for (let after = 0; after <= 16; after++) {
          for (const limit of [1, 2, 7, 100]) {
            assert.deepStrictEqual(yield* ledger.events(id, after, limit), all.slice(after, after + limit))
          }
        }
        assert.deepStrictEqual(yield* ledger.eventsOfTurn(id, 1), [...all.slice(0, 5), ...all.slice(15)])
        assert.deepStrictEqual(yield* ledger.eventsOfTurn(id, 2), all.slice(6, 15))
        const patch = { state: "closed", substate: "closed", closedAt: 1 } as const
        yield* ledger.write([{ _tag: "SessionPatched", session: id, patch }])
        yield* ledger.remove([id], [])
        assert.deepStrictEqual(yield* ledger.events(id, 0, 100), [])
      })
    )
  )
}
