/** Sessions by their service: hibernation, parking, closing, limits, defects and readers, with a test clock. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Operator } from "../../src/services/Operator.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { News } from "../../src/runtime/News.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { AgentScript, killProcess } from "./AgentScript.ts"
import {
  app,
  commandsOf,
  other,
  ours,
  retire,
  stateOf,
  theirs,
  untilBegun,
  untilRunning,
  untilState,
  withRuntime
} from "./harness.ts"

const opened = Effect.gen(function* () {
  const sessions = yield* Sessions
  const { id } = yield* sessions.create(app, {})
  return { sessions, id }
})
const afterTurn = (prompt: string) =>
  Effect.gen(function* () {
    const { id, sessions } = yield* opened
    const turning = yield* sessions.submit(ours, id, { prompt })
    return { id, sessions, result: yield* turning.result }
  })

describe("a session", () => {
  it.effect("an idle session hibernates, and the next turn resumes its thread", () =>
    Effect.gen(function* () {
      const { id, sessions } = yield* afterTurn("hello")
      yield* TestClock.adjust("5 minutes")
      yield* untilState(id, "retiring.asking")
      yield* TestClock.adjust("8 seconds")
      yield* untilState(id, "idle.asleep")
      assert.isNull((yield* sessions.get(ours, id)).process.pid)
      const again = yield* sessions.submit(ours, id, { prompt: "back" })
      const { turn } = yield* again.result
      assert.strictEqual(turn.threadId, `thread of ${id}`)
      assert.isFalse(turn.contextLost)
      const actions = (yield* sessions.audit(id)).map(({ action }) => action)
      assert.includeMembers(actions, ["create", "start", "turn_start", "turn_end", "hibernate", "wake"])
    }).pipe(withRuntime())
  )

  it.effect(
    "a session whose process keeps dying is parked, refuses turns with the reason, and is unparked by an operator",
    () =>
      Effect.gen(function* () {
        const script = yield* AgentScript
        script.start = { failsWith: "no such file" }
        const { id, sessions } = yield* opened
        const turning = yield* sessions.submit(ours, id, { prompt: "try" })
        assert.strictEqual((yield* turning.result).turn.failure?.message, "no such file")
        // It tries again by itself, later and later, until the budget is used up.
        yield* untilState(id, "idle.backingOff")
        yield* TestClock.adjust("6 seconds")
        yield* untilState(id, "idle.parked")
        const refusal = yield* Effect.flip(sessions.submit(ours, id, { prompt: "no" }))
        assert.strictEqual(refusal._tag, "SessionParked")
        if (refusal._tag === "SessionParked") {
          assert.include(refusal.reason, "no such file")
          assert.isAtMost(refusal.retryAfterSeconds, 600)
        }
        script.start = "ready"
        assert.isTrue(yield* sessions.unpark(id))
        assert.isFalse(yield* sessions.unpark(id))
        const now = yield* sessions.submit(ours, id, { prompt: "now" })
        assert.strictEqual((yield* now.result).turn.status, "completed")
      }).pipe(withRuntime({ restartPeriodMillis: 600_000 }))
  )

  it.effect("an idle session whose process died restarts it after a backoff", () =>
    Effect.gen(function* () {
      const { id } = yield* afterTurn("hello")
      yield* killProcess(id)
      yield* untilState(id, "idle.backingOff")
      yield* TestClock.adjust("1 second")
      yield* untilState(id, "idle.awake")
      const types = yield* commandsOf(id)
      assert.strictEqual(types.filter((type) => type === "startProcess").length, 2)
    }).pipe(withRuntime())
  )

  it.effect("a close interrupts the running turn first, and a second close changes nothing", () =>
    Effect.gen(function* () {
      const { id, sessions } = yield* opened
      const turning = yield* sessions.submit(ours, id, { prompt: "hang" })
      yield* untilRunning(id)
      const closing = yield* Effect.forkChild(sessions.close(ours, id))
      yield* untilState(id, "retiring.asking")
      // It waits for the process, which may still write where the app is about to clean up.
      assert.isUndefined(closing.pollUnsafe())
      yield* retire(id, "closed")
      assert.deepStrictEqual(yield* Fiber.join(closing), { alreadyClosed: false })
      assert.strictEqual((yield* turning.result).turn.status, "interrupted")
      assert.deepStrictEqual(yield* sessions.close(ours, id), { alreadyClosed: true })
      const refusal = yield* Effect.flip(sessions.submit(ours, id, { prompt: "no" }))
      assert.strictEqual(refusal._tag, "SessionClosed")
      assert.isNotNull((yield* sessions.get(ours, id)).closedAt)
    }).pipe(withRuntime())
  )

  it.effect("another app's session is not found, in the same words as one that never existed", () =>
    Effect.gen(function* () {
      const { id, sessions } = yield* opened
      const foreign = yield* Effect.flip(sessions.get(theirs, id))
      const unknown = yield* Effect.flip(sessions.get(theirs, "ses_never"))
      assert.strictEqual(foreign._tag, "SessionNotFound")
      assert.strictEqual((foreign as { detail?: string }).detail, (unknown as { detail?: string }).detail)
      assert.strictEqual((yield* sessions.get({ _tag: "Admin" }, id)).id, id)
    }).pipe(withRuntime())
  )

  it.effect("a session is refused at the runtime's limit and at the app's", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      yield* sessions.create(app, {})
      const ofApp = yield* Effect.flip(sessions.create(app, {}))
      assert.deepStrictEqual([ofApp._tag, "what" in ofApp && ofApp.what], ["PoolFull", "sessions_per_app"])
      yield* sessions.create(other, {})
      const ofRuntime = yield* Effect.flip(sessions.create(other, {}))
      assert.deepStrictEqual([ofRuntime._tag, "what" in ofRuntime && ofRuntime.what], ["PoolFull", "sessions"])
    }).pipe(withRuntime({ maxSessions: 2, maxSessionsPerApp: 1 }))
  )

  it.effect("sessions are listed newest first, even within one millisecond", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const made = yield* Effect.forEach([1, 2, 3, 4, 5, 6], () => sessions.create(app, {}))
      const { items } = yield* sessions.list(ours, { limit: 10, cursor: null, state: null })
      assert.deepStrictEqual(
        items.map(({ id }) => id),
        made.map(({ id }) => id).toReversed()
      )
    }).pipe(withRuntime())
  )

  it.effect("a session is refused for an unknown agent and for a directory that does not exist", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      assert.strictEqual((yield* Effect.flip(sessions.create(app, { agent: "nobody" })))._tag, "UnknownAgent")
      assert.strictEqual((yield* Effect.flip(sessions.create(app, { cwd: "/not/there" })))._tag, "InvalidRequest")
      assert.strictEqual((yield* Effect.flip(sessions.create(app, { cwd: "relative" })))._tag, "InvalidRequest")
      const runtime = yield* Operator
      assert.strictEqual((yield* runtime.counts).sessions.idle, 0)
    }).pipe(withRuntime())
  )
})

describe("a defect of ours", () => {
  it.effect("a defect settles its turn as unknown, and its session and the others go on", () =>
    Effect.gen(function* () {
      const { id, sessions } = yield* opened
      const neighbour = yield* sessions.create(app, {})
      const running = yield* sessions.submit(ours, neighbour.id, { prompt: "hang" })
      yield* untilRunning(neighbour.id)
      const turning = yield* sessions.submit(ours, id, { prompt: "defect" })
      const result = yield* Effect.forkChild(turning.result)
      yield* untilBegun(id, "drop")
      // The pause before the supervisor starts the next actor.
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* Fiber.join(result)).turn.failure?.class, "outcome_unknown")
      const next = yield* sessions.submit(ours, id, { prompt: "still there" })
      assert.strictEqual((yield* next.result).finalText, "you said: still there")
      assert.strictEqual(yield* stateOf(neighbour.id), "turning.running")
      yield* sessions.interrupt(ours, neighbour.id)
      assert.strictEqual((yield* running.result).turn.status, "interrupted")
    }).pipe(withRuntime())
  )
})

describe("a reader", () => {
  it.effect("a reader gets stored and live events without a gap or a repeat, from any event on", () =>
    Effect.gen(function* () {
      const { id, sessions } = yield* afterTurn("one")
      const all = yield* Effect.forkChild(
        Stream.runCollect(Stream.takeUntil(yield* sessions.events(ours, id, 0), ({ message }) => isEnd(message, 3)))
      )
      for (const prompt of ["words 700", "three"]) {
        yield* (yield* sessions.submit(ours, id, { prompt })).result
      }
      const seen = yield* Fiber.join(all)
      assert.deepStrictEqual(
        seen.map(({ seq }) => seq),
        seen.map((_, n) => n + 1)
      )
      const rest = yield* Stream.runCollect(
        Stream.takeUntil(yield* sessions.events(ours, id, seen[4]!.seq), ({ message }) => isEnd(message, 3))
      )
      assert.deepStrictEqual(rest, seen.slice(5))
      const ledger = yield* Ledger
      assert.strictEqual((yield* ledger.turns(id, 0, 10)).length, 3)
    }).pipe(withRuntime())
  )

  it.effect("a live reader's stream ends with the session", () =>
    Effect.gen(function* () {
      const { id, sessions } = yield* opened
      const events = yield* sessions.events(ours, id, 0)
      const reading = yield* Effect.forkChild(Stream.runCollect(events), { startImmediately: true })
      assert.strictEqual((yield* News).watchers(), 1)
      yield* sessions.close(ours, id)
      const last = (yield* Fiber.join(reading)).at(-1)
      assert.deepInclude(last?.message, { method: "_troupe/state" })
      const replayed = yield* Stream.runCollect(yield* sessions.events(ours, id, 0))
      assert.deepStrictEqual(replayed.at(-1), last)
    }).pipe(withRuntime())
  )
})

const isEnd = (message: object, turn: number) => "id" in message && message.id === turn
