/**
 * A ledger that an earlier version wrote is opened by this one, where its Troupe was killed at work: every session gets
 * into the state that it must have, every turn gets its one outcome, and nothing is lost.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { app } from "./samples.ts"
import { eventually, killedAt, upgraded } from "./upgraded.ts"
import type { Content, Upgraded } from "./upgraded.ts"

const caller = { _tag: "App", app } as const

interface Session {
  /** Its state when Troupe was killed. */
  readonly from: string
  /** Its state after the boot. */
  readonly to: string
  /** The turn that was running then: what became of it is not known. */
  readonly lost?: number
}

const expected: Readonly<Record<string, Session>> = {
  fresh: { from: "idle.asleep", to: "idle.asleep" },
  asleep: { from: "idle.asleep", to: "idle.asleep" },
  awake: { from: "idle.awake", to: "idle.asleep" },
  closed: { from: "closed", to: "closed" },
  "parked-restarts": { from: "idle.parked", to: "idle.parked" },
  "parked-quota": { from: "idle.parked", to: "idle.parked" },
  "backing-off": { from: "idle.backingOff", to: "idle.backingOff" },
  // Turns that no agent had yet go on.
  "turning-queued": { from: "turning.queued", to: "turning.queued" },
  // Its agent never gets ready.
  "turning-starting": { from: "turning.starting", to: "turning.starting" },
  "turning-running": { from: "turning.running", to: "idle.asleep", lost: 2 },
  // Its prompt was claimed in the outbox and not yet done.
  "turning-handed": { from: "turning.running", to: "idle.asleep", lost: 2 },
  "turning-asking": { from: "turning.asking", to: "idle.asleep", lost: 1 },
  "turning-interrupting": { from: "turning.interrupting", to: "idle.asleep", lost: 1 },
  // A second turn is queued behind the lost one. The boot starts it.
  "turning-queue": { from: "turning.running", to: "idle.awake", lost: 1 },
  // It was being closed, and its turn had its outcome.
  retiring: { from: "retiring.asking", to: "closed" }
}

/** Turns without an outcome after the boot. Those that run wait for their agents, as they did before. */
const stillOpen: Readonly<Record<string, Array<[number, string]>>> = {
  "parked-quota": [[2, "queued"]],
  "turning-starting": [[1, "running"]],
  "turning-queued": [[3, "running"]]
}

/** Timers after the boot: pauses, hibernation, and the deadlines of a turn and of what it waits for. */
const armed: Readonly<Record<string, number>> = {
  "parked-restarts": 1,
  "parked-quota": 1,
  "backing-off": 1,
  "turning-queue": 1,
  "turning-starting": 2,
  "turning-queued": 2
}

const substateOf = ({ id, sessions }: Upgraded, name: string) =>
  Effect.map(sessions.get(caller, id(name)), ({ substate }) => substate)

const comesTo = (runtime: Upgraded, name: string, state: string) =>
  eventually(
    `${name} comes to ${state}`,
    Effect.map(substateOf(runtime, name), (substate) => substate === state)
  )

/** The events that ended a turn. */
const endsOf = ({ events }: Content, index: number) =>
  events.filter(({ message, turn }) => turn === index && "id" in message && !("method" in message))

describe("a ledger of an earlier version, whose Troupe was killed", () => {
  it.effect("each session comes to the state that it must have", () =>
    upgraded((runtime) =>
      Effect.gen(function* () {
        const { before } = runtime
        assert.sameMembers([...before.sessions.keys()], Object.keys(expected))
        for (const [name, { from, to }] of Object.entries(expected)) {
          assert.strictEqual(before.sessions.get(name)?.record.substate, from, name)
          yield* comesTo(runtime, name, to)
        }
      })
    )
  )

  it.effect("each turn that was running fails once with its class, and each queued turn waits or runs", () =>
    upgraded((runtime) =>
      Effect.gen(function* () {
        yield* comesTo(runtime, "turning-queue", "idle.awake")
        const { sessions } = yield* runtime.now
        for (const [name, content] of sessions) {
          const { turns } = content
          const lost = expected[name]?.lost
          for (const { endedAt, failure, index, status } of turns) {
            assert.lengthOf(endsOf(content, index), endedAt === null ? 0 : 1, `${name}: turn ${index}`)
            if (index === lost) assert.deepStrictEqual([status, failure?.class], ["failed", "outcome_unknown"], name)
          }
          const open = turns
            .filter(({ endedAt }) => endedAt === null)
            .map(({ index, status }): [number, string] => [index, status])
          assert.deepStrictEqual(open, stillOpen[name] ?? [], name)
        }
        assert.deepStrictEqual(
          sessions.get("turning-queue")?.turns.map(({ status }) => status),
          ["failed", "completed"]
        )
      })
    )
  )

  it.effect("each turn has all of its events, those of the earlier version and those of its boot", () =>
    upgraded((runtime) =>
      Effect.gen(function* () {
        yield* comesTo(runtime, "turning-queue", "idle.awake")
        for (const { sessions } of [runtime.before, yield* runtime.now]) {
          for (const [name, { events, eventsOfTurns, turns }] of sessions) {
            const expected = turns.map(({ index }) => events.filter(({ turn }) => turn === index))
            assert.deepStrictEqual(eventsOfTurns, expected, name)
          }
        }
      })
    )
  )

  it.effect("no lease, command, timer or pending approval is left of the processes that died", () =>
    upgraded((runtime) =>
      Effect.gen(function* () {
        yield* comesTo(runtime, "turning-queue", "idle.awake")
        const { before, id } = runtime
        assert.isAbove(before.leases.length, 5)
        const claimed = before.sessions.get("turning-handed")?.outbox.map(({ claimed, type }) => [type, claimed])
        assert.deepStrictEqual(claimed, [["handPrompt", true]])
        const { leases, sessions } = yield* runtime.now
        assert.sameMembers(
          leases.map(({ session }) => session),
          [id("turning-queue"), id("turning-starting")]
        )
        for (const [name, { approvals, timers }] of sessions) {
          assert.lengthOf(timers, armed[name] ?? 0, name)
          assert.deepStrictEqual(
            approvals.map(({ decision, status }) => [status, decision]),
            name === "turning-asking" ? [["withdrawn", "deny"]] : [],
            name
          )
        }
        yield* eventually(
          "the outbox is empty, but for the request that waits for a backoff",
          Effect.map(runtime.now, (now) =>
            [...now.sessions].every(([name, { outbox }]) => outbox.length === (name === "turning-queued" ? 1 : 0))
          )
        )
      })
    )
  )

  it.effect("everything that was stored is still there, unchanged", () =>
    upgraded((runtime) =>
      Effect.gen(function* () {
        yield* comesTo(runtime, "turning-queue", "idle.awake")
        const { before } = runtime
        const now = yield* runtime.now
        assert.deepStrictEqual(now.files, before.files)
        assert.lengthOf(before.files, 1)
        assert.deepStrictEqual(
          now.apps.map(({ openSessions: _, ...rest }) => rest),
          before.apps.map(({ openSessions: _, ...rest }) => rest)
        )
        for (const [name, { audit, events, record, steps, turns }] of before.sessions) {
          const content = now.sessions.get(name)
          assert.deepStrictEqual(content?.events.slice(0, events.length), events, name)
          assert.deepStrictEqual(content?.steps.slice(0, steps.length), steps, name)
          assert.deepStrictEqual(content?.audit.slice(0, audit.length), audit, name)
          const ended = turns.filter(({ endedAt }) => endedAt !== null)
          assert.deepStrictEqual(content?.turns.slice(0, ended.length), ended, name)
          assert.lengthOf(content?.turns ?? [], turns.length, name)
          const { cwd, meta, permissions, systemPrompt, threadId } = record
          assert.containSubset(content?.record, { cwd, meta, permissions, systemPrompt, turnCount: turns.length })
          if (threadId !== null) assert.strictEqual(content?.record.threadId, threadId, name)
        }
      })
    )
  )

  it.effect("a turn that waited for its agent's backoff runs when that is over", () =>
    upgraded((runtime) =>
      Effect.gen(function* () {
        yield* comesTo(runtime, "turning-queued", "turning.queued")
        yield* TestClock.adjust("30 seconds")
        yield* comesTo(runtime, "turning-queued", "idle.awake")
        const { turn } = yield* runtime.sessions.turn(caller, runtime.id("turning-queued"), 3)
        assert.strictEqual(turn.status, "completed")
      })
    )
  )

  it.effect("sessions that are asleep take a turn, and their agents remember the turns before", () =>
    upgraded((runtime) =>
      Effect.gen(function* () {
        const recall = Effect.fnUntraced(function* (name: string) {
          const { result } = yield* runtime.sessions.submit(caller, runtime.id(name), { prompt: "recall" })
          const { finalText, turn } = yield* result
          const earlier = runtime.before.sessions.get(name)?.turns.map(({ prompt }) => prompt)
          assert.deepStrictEqual(
            [turn.status, turn.contextLost, finalText],
            ["completed", false, JSON.stringify(earlier)]
          )
        })
        yield* Effect.forEach(["fresh", "asleep", "awake", "turning-running", "turning-asking"], recall, {
          concurrency: "unbounded",
          discard: true
        })
      })
    )
  )

  it.effect("sessions that are parked keep their reason and their time, and are asleep when it has come", () =>
    upgraded((runtime) =>
      Effect.gen(function* () {
        const { before, id, sessions } = runtime
        const parked = {
          "parked-restarts": /exit code 1/,
          "parked-quota": /quota is used up/
        }
        for (const [name, reason] of Object.entries(parked)) {
          const { parked } = yield* sessions.get(caller, id(name))
          const until = before.sessions.get(name)?.timers[0]?.dueAt ?? 0
          assert.isAbove(until, killedAt + 30_000, name)
          assert.strictEqual(parked?.until, until, name)
          assert.match(parked?.reason ?? "", reason, name)
        }
        assert.strictEqual((yield* sessions.turn(caller, id("parked-quota"), 2)).turn.status, "queued")
        // Not a moment later: the agent's start has deadlines, too, and its process is real.
        const dues = Object.keys(parked).map((name) => before.sessions.get(name)?.timers[0]?.dueAt ?? 0)
        yield* TestClock.setTime(Math.max(...dues))
        yield* comesTo(runtime, "parked-restarts", "idle.asleep")
        yield* comesTo(runtime, "parked-quota", "idle.awake")
        const { finalText, turn } = yield* sessions.turn(caller, id("parked-quota"), 2)
        assert.deepStrictEqual([turn.status, finalText], ["completed", "You said: after the pause (turn 3)"])
      })
    )
  )

  it.effect("a session that was backing off starts its process when its time has come", () =>
    upgraded((runtime) =>
      Effect.gen(function* () {
        const dueAt = runtime.before.sessions.get("backing-off")?.timers[0]?.dueAt ?? 0
        yield* TestClock.setTime(dueAt - 1)
        assert.strictEqual(yield* substateOf(runtime, "backing-off"), "idle.backingOff")
        yield* TestClock.adjust("1 millis")
        yield* comesTo(runtime, "backing-off", "idle.awake")
      })
    )
  )
})
