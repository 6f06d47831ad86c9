/** `_troupe/turn` in a session's stream, for every way in which a turn begins and ends; the stream alone is the chat. */
import { assert, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { StreamedEvent, StreamedMessage } from "../../src/domain/events/StreamedMessage.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { storedTurnBody } from "../../src/http/turnBody.ts"
import { Operator } from "../../src/services/Operator.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { chatOf, rebuilt } from "../conversation/rebuilt.ts"
import { notStrict } from "../domain/strictly.ts"
import { scratch } from "../ledger/samples.ts"
import { killProcess } from "./AgentScript.ts"
import {
  app,
  ours,
  retire,
  runtimeIn,
  scriptLayer,
  untilBegun,
  untilRunning,
  untilState,
  whileTimePasses,
  withRuntime
} from "./harness.ts"

/** The stored events by now, as they are streamed. */
const eventsOf = (id: SessionId) =>
  Effect.gen(function* () {
    const last = yield* (yield* Ledger).lastEvent(id)
    const events = yield* (yield* Sessions).events(ours, id, 0)
    return yield* Stream.runCollect(Stream.takeUntil(events, ({ seq }) => seq === last))
  })

const messagesOf = (id: SessionId) => Effect.map(eventsOf(id), (events) => events.map(({ message }) => message))

/** Each `_troupe/turn`, shortly. */
const phasesIn = (messages: ReadonlyArray<StreamedMessage>) =>
  messages.flatMap((message): ReadonlyArray<ReadonlyArray<unknown>> => {
    if (message.method !== "_troupe/turn") return []
    const { params } = message
    const { kind, phase, turn_index } = params
    if (phase === "submitted") return [[turn_index, phase, kind, params.queued]]
    return [
      phase === "ended" ? [turn_index, phase, kind, params.status, params.error_class] : [turn_index, phase, kind]
    ]
  })

const assertChat = (id: SessionId, messages: ReadonlyArray<StreamedMessage>) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    for (const message of messages) assert.isNull(notStrict(message))
    const chat = rebuilt(messages)
    const turns = yield* sessions.turns(ours, id, { after: 0, limit: 50 })
    assert.deepStrictEqual(chat.turns, turns.map((turn) => chatOf(storedTurnBody(turn))) as typeof chat.turns)
    const page = yield* sessions.messages(ours, id, { after: 0, limit: 50 })
    assert.deepStrictEqual(chat.messages, page.messages)
    return chat
  })

it.effect("the stream alone rebuilds turns that were queued, interrupted in line, failed, compacted and closed", () =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    yield* sessions.submit(ours, id, { prompt: "hang" })
    yield* untilRunning(id)
    yield* sessions.submit(ours, id, { prompt: "hello", queue: true })
    const third = yield* sessions.submit(ours, id, { prompt: "never mind", queue: true })
    yield* third.interrupt
    yield* sessions.interrupt(ours, id)
    yield* untilState(id, "idle.awake")
    yield* sessions.compact(ours, id)
    yield* untilState(id, "idle.awake")
    const dies = yield* sessions.submit(ours, id, { prompt: "die" })
    yield* dies.result
    yield* TestClock.adjust("1 minute")
    yield* untilState(id, "idle.awake")
    yield* sessions.submit(ours, id, { prompt: "hang" })
    yield* untilRunning(id)
    yield* sessions.submit(ours, id, { prompt: "too late", queue: true })
    yield* Effect.forkChild(sessions.close(ours, id))
    yield* retire(id, "closed")

    const messages = yield* messagesOf(id)
    assert.deepStrictEqual(phasesIn(messages), [
      [1, "submitted", "prompt", false],
      [1, "started", "prompt"],
      [2, "submitted", "prompt", true],
      [3, "submitted", "prompt", true],
      [3, "ended", "prompt", "interrupted", null],
      [1, "ended", "prompt", "interrupted", null],
      [2, "started", "prompt"],
      [2, "ended", "prompt", "completed", null],
      [4, "submitted", "compact", false],
      [4, "started", "compact"],
      [4, "ended", "compact", "completed", null],
      [5, "submitted", "prompt", false],
      [5, "started", "prompt"],
      [5, "ended", "prompt", "failed", "crash"],
      [6, "submitted", "prompt", false],
      [6, "started", "prompt"],
      [7, "submitted", "prompt", true],
      [7, "ended", "prompt", "interrupted", null],
      [6, "ended", "prompt", "interrupted", null]
    ])
    const chat = yield* assertChat(id, messages)
    assert.deepStrictEqual(chat.started, [1, 1, 0, 1, 1, 1, 0])
  }).pipe(withRuntime())
)

it.effect("each event has its turn and its time, and a turn's end is followed by what says that it ended", () =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, {})
    yield* TestClock.adjust("1234 millis")
    const { events, result } = yield* sessions.submit(ours, id, { prompt: "hello" })
    const own = yield* Stream.runCollect(events)
    assert.deepStrictEqual(
      own.map(({ message }) => message),
      (yield* result).events as unknown as Array<StreamedMessage>
    )
    assert.isFalse(own.some(({ message }) => message.method === "_troupe/turn"))
    const all = yield* eventsOf(id)
    for (const event of all) {
      assert.include(metaOf(event), { "troupe/turn_index": event.turn, "troupe/at": event.at / 1000 })
    }
    const end = all.findIndex(({ message }) => message.method === undefined)
    assert.deepInclude(metaOf(all[end]!), { "troupe/turn_index": 1, "troupe/at": 1.234 })
    assert.containSubset(all[end + 1]?.message, {
      method: "_troupe/turn",
      params: { phase: "ended", turn_index: 1, at: 1.234, status: "completed", stop_reason: "end_turn", error: null }
    })
    assert.isNull(all.find(({ message }) => message.method === "_troupe/state")!.turn)
  }).pipe(withRuntime())
)

it.effect("a turn that goes on after a restart does not start twice, and one that was lost has ended", () =>
  Effect.gen(function* () {
    const directory = yield* scratch
    const limits = { maxProcesses: 1 }
    const [late, busy] = yield* Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id: busy } = yield* sessions.create(app, {})
      yield* sessions.submit(ours, busy, { prompt: "hang" })
      yield* untilRunning(busy)
      const { id: late } = yield* sessions.create(app, {})
      yield* sessions.submit(ours, late, { prompt: "late" })
      yield* untilBegun(late, "takeSlot")
      yield* Effect.forkChild((yield* Operator).drain(60_000), { startImmediately: true })
      yield* TestClock.adjust("40 seconds")
      return [late, busy] as const
    }).pipe(Effect.provide(runtimeIn(directory, limits)))
    yield* Effect.gen(function* () {
      yield* untilState(late, "idle.awake")
      const messages = yield* messagesOf(late)
      assert.deepStrictEqual(phasesIn(messages), [
        [1, "submitted", "prompt", false],
        [1, "started", "prompt"],
        [1, "ended", "prompt", "completed", null]
      ])
      yield* assertChat(late, messages)
      const lost = yield* messagesOf(busy)
      assert.deepStrictEqual(phasesIn(lost).slice(0, 2), [
        [1, "submitted", "prompt", false],
        [1, "started", "prompt"]
      ])
      assert.deepStrictEqual(phasesIn(lost).at(-1)?.slice(0, 3), [1, "ended", "prompt"])
      yield* assertChat(busy, lost)
    }).pipe(Effect.provide(runtimeIn(directory, limits)))
  }).pipe(Effect.provide(scriptLayer), Effect.scoped)
)

it.effect("a compaction that a dead Troupe left running ends as a compaction", () =>
  Effect.gen(function* () {
    const directory = yield* scratch
    const limits = { maxProcesses: 1 }
    const id = yield* Effect.gen(function* () {
      const sessions = yield* Sessions
      const { id } = yield* sessions.create(app, {})
      yield* sessions.submit(ours, id, { prompt: "hello" })
      yield* untilState(id, "idle.awake")
      yield* killProcess(id)
      yield* untilState(id, "idle.backingOff")
      yield* sessions.compact(ours, id)
      yield* untilState(id, "turning.queued")
      return id
    }).pipe(Effect.provide(runtimeIn(directory, limits)))
    yield* Effect.gen(function* () {
      yield* whileTimePasses(yield* Effect.forkChild(untilState(id, "idle.awake")))
      const messages = yield* messagesOf(id)
      assert.deepStrictEqual(phasesIn(messages).slice(3), [
        [2, "submitted", "compact", false],
        [2, "started", "compact"],
        [2, "ended", "compact", "completed", null]
      ])
      yield* assertChat(id, messages)
    }).pipe(Effect.provide(runtimeIn(directory, limits)))
  }).pipe(Effect.provide(scriptLayer), Effect.scoped)
)

const metaOf = ({ message }: StreamedEvent): Readonly<Record<string, unknown>> => {
  if (message.method !== undefined) return message.params._meta
  return "result" in message ? message.result._meta : message.error.data._meta
}
