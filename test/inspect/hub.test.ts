/** What a hundred readers of the hub cost: one ring for all, and no memory for a reader that takes nothing. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Queue, Stream } from "effect"
import { TestClock } from "effect/testing"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { begin, decide } from "../../machines/decide.ts"
import { sessionMachine } from "../../machines/session/machine.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { newNodeToken } from "../../src/domain/Ids.ts"
import { CircuitBreaker } from "../../src/supervision/CircuitBreaker.ts"
import { SessionHost } from "../../src/supervision/SessionHost.ts"
import { ThisNode } from "../../src/runtime/ThisNode.ts"
import { News } from "../../src/runtime/News.ts"
import type { Committed } from "../../src/runtime/News.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import type { SessionRecord } from "../../src/domain/Session.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import { sees } from "../../src/runtime/Caller.ts"
import { Inspection } from "../../src/services/Inspection.ts"
import * as ObserveChanges from "../../src/services/inspection/observeChanges.ts"
import { Hub, ringCapacity } from "../../src/inspect/Hub.ts"
import { app, otherApp, session, step } from "../ledger/samples.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

const heapMegabytes = () => {
  collect()
  return process.memoryUsage().heapUsed / 1024 / 1024
}

const newborn = begin(sessionMachine, undefined).next
const event = { type: "close.requested", reason: "closed by the test" } as const
const { next: closed } = decide(sessionMachine, newborn, event)

const tell = (news: News["Service"], step: Committed) =>
  news.tell({
    session: step.record.id,
    step: step.seq,
    event: 0,
    stepped: true,
    settled: [],
    closed: false,
    stored: { events: [], characters: 0, step }
  })

/** Commits a step of one of a thousand sessions; every tenth is another app's. */
const commit = (news: News["Service"], n: number) => {
  const record = session({
    id: SessionId.make(`ses_${String(n % 1_000).padStart(20, "0")}`),
    app: n % 10 === 0 ? otherApp : app,
    // An app may keep this with its session; the ring must not.
    meta: { large: "x".repeat(20_000) + n }
  })
  tell(news, committed(record, n))
}

const committed = (record: SessionRecord, n: number): Committed => ({
  record,
  seq: n,
  at: n,
  event,
  before: newborn,
  snapshot: closed,
  since: n,
  next: null,
  newApproval: null,
  ended: []
})

const withHub = Hub.layer.pipe(
  Layer.provide(
    Layer.unwrap(
      Effect.map(ObserveChanges.make, (observeChanges) =>
        Layer.mock(Inspection)({
          bounds: defaultLimits,
          node: null,
          sees,
          redactorOf: () => (text) => text,
          observeChanges
        })
      )
    )
  ),
  Layer.provide(
    Layer.mock(ThisNode)({
      token: newNodeToken(),
      isAlone: true,
      name: "alone",
      leaseMillis: null,
      askBy: () => {},
      loadIs: () => {},
      whenClaimed: () => {},
      load: () => null
    })
  ),
  Layer.provide(Layer.mock(SessionHost)({ look: () => Effect.succeed([]), loaded: () => null })),
  Layer.provide(CircuitBreaker.layer),
  Layer.provideMerge(News.layer),
  Layer.provideMerge(SqliteLedger.layer(":memory:"))
)

const idsIn = (text: string) => [...text.matchAll(/^id: [\w-]+:(\d+)\nevent: step$/gm)].map(([, n]) => Number(n))

describe("the hub", () => {
  it.effect("keeps one ring and a position for each of a hundred readers, one of whom takes nothing", () =>
    Effect.gen(function* () {
      const news = yield* News
      const hub = yield* Hub
      const mine = { _tag: "App", app } as const
      const seen: Array<Array<number>> = Array.from({ length: 99 }, () => [])
      const readers = yield* Effect.forEach(seen, (ids) =>
        hub.follow(mine, null).pipe(
          Stream.runForEach((text) => Effect.sync(() => ids.push(...idsIn(text)))),
          Effect.forkChild({ startImmediately: true })
        )
      )
      // Takes the first text, and then nothing.
      const taken = yield* Queue.bounded<string>(1)
      const stalled = yield* hub.follow(mine, null).pipe(
        Stream.runForEach((text) => Queue.offer(taken, text)),
        Effect.forkChild({ startImmediately: true })
      )
      yield* Effect.yieldNow
      const before = heapMegabytes()

      const all = 5_000
      for (let n = 1; n <= all; n++) {
        commit(news, n)
        if (n % 100 === 0) yield* TestClock.adjust("25 millis")
      }
      const grown = heapMegabytes() - before
      const mineOfAll = Array.from({ length: all }, (_, nth) => nth + 1).filter((n) => n % 10 !== 0)
      for (const ids of seen) assert.deepStrictEqual(ids, mineOfAll)
      assert.strictEqual(hub.counts().kept, ringCapacity)
      // 4,096 changes of about a kilobyte; their sessions' metadata alone would be 80 MB; what the readers collect here is 4 MB.
      assert.isBelow(grown, 30, `${grown.toFixed(1)} MB`)

      // When it reads again it is sent `reset`, because it missed too much, and continues with the rest.
      const received: Array<string> = []
      while (!/event: reset[^]*event: live/.test(received.join(""))) {
        yield* TestClock.adjust("25 millis")
        received.push(yield* Queue.take(taken))
      }
      assert.isBelow(idsIn(received.join("")).length, 300)
      commit(news, all + 1)
      yield* TestClock.adjust("25 millis")
      assert.deepStrictEqual(idsIn(yield* Queue.take(taken)), [all + 1])

      yield* Effect.forEach([...readers, stalled], Fiber.interrupt, { concurrency: "unbounded" })
      assert.strictEqual(hub.counts().waiting, 0)
    }).pipe(Effect.provide(withHub))
  )

  it.effect("shows the title of the oldest approval while it is pending", () =>
    Effect.gen(function* () {
      const news = yield* News
      const hub = yield* Hub
      const asking = (ids: ReadonlyArray<string>, approval: string | null, substate = "turning.asking") =>
        tell(news, {
          record: session({ state: "turning", substate }),
          seq: 1,
          at: 1,
          event,
          before: newborn,
          snapshot: { ...newborn, context: { ...newborn.context, approvals: [...ids] } },
          since: 1,
          next: null,
          newApproval: approval === null ? null : { id: approval, title: `may I ${approval}` },
          ended: []
        })
      asking(["a"], "a")
      asking(["a", "b"], "b")
      asking(["b"], null)
      asking([], null, "turning.running")
      asking(["c"], "c")
      const [text = ""] = yield* hub.follow({ _tag: "Admin" }, `${hub.boot}:0`).pipe(Stream.take(1), Stream.runCollect)
      assert.deepStrictEqual(
        [...text.matchAll(/"what":"([^"]+)"/g)].map(([, what]) => what),
        [
          "an answer to: may I a",
          "an answer to: may I a",
          "an answer to: may I b",
          "the end of turn 0",
          "an answer to: may I c"
        ]
      )
    }).pipe(Effect.provide(withHub))
  )

  it.live("reads the row of a session that another Troupe works on, once for all that is told of it meanwhile", () =>
    Effect.gen(function* () {
      const news = yield* News
      const hub = yield* Hub
      const ledger = yield* Ledger
      const record = session()
      yield* ledger.write([
        { _tag: "SessionInserted", record, snapshot: sessionMachine.getPersistedSnapshot(newborn) },
        { _tag: "StepAppended", step: step() }
      ])
      const texts = yield* Queue.unbounded<string>()
      const reader = yield* hub.follow({ _tag: "App", app }, null).pipe(
        Stream.runForEach((text) => Queue.offer(texts, text)),
        Effect.forkChild({ startImmediately: true })
      )
      const next = Effect.map(Queue.take(texts), (text) => [...text.matchAll(/event: (\w+)\ndata: (.*)\n/g)])
      assert.deepStrictEqual(
        (yield* next).map(([, event]) => event),
        ["live"]
      )
      news.missed(SessionId.make("ses_gone"))
      for (let n = 0; n < 50; n++) news.missed(record.id)
      const steps = yield* next
      assert.deepStrictEqual(
        steps.map(([, event, data]) => [event, JSON.parse(data ?? "").seq]),
        [["step", 1]]
      )
      assert.deepInclude(JSON.parse(steps[0]?.[2] ?? "").row, { session_id: record.id, substate: record.substate })

      // What the ledger has is older than a commit of this process that came meanwhile.
      news.missed(record.id)
      tell(news, committed(record, 2))
      const removed = { id: record.id, app, createdAt: record.createdAt }
      news.tellLifecycle({ what: "removed", record: { ...removed, app: otherApp } })
      news.tellLifecycle({ what: "removed", record: removed })
      news.missed(null)
      const rest: Array<string> = []
      while (rest.length < 3)
        rest.push(...(yield* next).map(([, event = "", data]) => `${event} ${JSON.parse(data ?? "").seq ?? ""}`))
      assert.deepStrictEqual(rest, ["step 2", "removed ", "reset "])
      yield* Fiber.interrupt(reader)
    }).pipe(Effect.provide(withHub))
  )
})
