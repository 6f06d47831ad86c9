/** The news of one session as they come: from the ledger, then live, and by a reader that was away. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { troupeMessage } from "../../src/domain/Acp.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import type { StoredEvent } from "../../src/domain/Session.ts"
import type { StepRecord } from "../../src/ledger/Ledger.ts"
import { merge } from "../../src/services/inspection/followSession.ts"
import { readEvents } from "../http/readEvents.ts"
import type { ReadEvent } from "../http/readEvents.ts"
import { open, scratch } from "./harness.ts"

type House = Effect.Success<ReturnType<typeof open>>

const api = (id: string, rest = "") => `/inspect/api/sessions/${id}${rest}`

/** A reader of the stream from there on; it goes with the scope. */
const listen = Effect.fnUntraced(function* (house: House, token: string, id: string, from: string | null = null) {
  const headers = from === null ? {} : { "last-event-id": from }
  const controller = new AbortController()
  yield* Effect.addFinalizer(() => Effect.sync(() => controller.abort()))
  const response = yield* house.ask(api(id, "/stream"), { token, headers, signal: controller.signal })
  assert.strictEqual(response.status, 200)
  const { next } = readEvents(response)
  /** Everything up to the first that is it; comments left out. */
  const until = (isIt: (read: ReadEvent) => boolean) =>
    Effect.gen(function* () {
      const all: Array<ReadEvent> = []
      while (true) {
        const read = yield* next
        if (read === undefined) return yield* Effect.die(new Error(`the stream ended after ${all.length} messages`))
        if (read.event === undefined) continue
        all.push(read)
        if (isIt(read)) return all
      }
    }).pipe(Effect.timeout("20 seconds"), Effect.orDie)
  return { until, leave: Effect.sync(() => controller.abort()) }
})

const isLive = ({ event }: ReadEvent) => event === "live"
const seqsOf = (reads: ReadonlyArray<ReadEvent>, kind: string) =>
  reads.flatMap(({ data, event }) => (event === kind ? [(JSON.parse(data ?? "") as { readonly seq: number }).seq] : []))
const stepTo = (state: string) => (read: ReadEvent) => read.event === "step" && JSON.parse(read.data ?? "").to === state
const counting = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, nth) => first + nth)

describe("the stream of one session", () => {
  it.live("tells what is stored and then what comes, each once and in order, with the place to go on from", () =>
    Effect.gen(function* () {
      const house = yield* open()
      const token = yield* house.mint("ours")
      const id = yield* house.create(token)
      yield* house.turn(token, id, "hello")
      const reader = yield* listen(house, token, id)
      const before = yield* reader.until(isLive)
      yield* Effect.forkScoped(house.turn(token, id, "slow 30 10"))
      const after = yield* reader.until(stepTo("idle.awake"))
      // Once more when its commands are ticked off.
      const settled = yield* reader.until(({ event }) => event === "changed")
      assert.isAbove(settled.length, 0)

      const all = [...before, ...after, ...settled]
      const steps = seqsOf(all, "step")
      const events = seqsOf(all, "event")
      assert.deepStrictEqual(steps, counting(steps.length))
      assert.deepStrictEqual(events, counting(events.length))
      let [event, step] = [0, 0]
      for (const read of all) {
        if (read.event === "step") step += 1
        if (read.event === "event") event += 1
        if (read.id !== undefined) assert.strictEqual(read.id, `e${event}.s${step}`)
      }
      const { json } = yield* house.call(api(id), { token })
      assert.deepStrictEqual([steps.length, events.length], [json.last_step, json.last_event])
      const stored = yield* house.call(api(id, "/steps?limit=1000"), { token })
      assert.deepStrictEqual(
        all.flatMap(({ data, event }) => (event === "step" ? [JSON.parse(data ?? "")] : [])),
        stored.json.steps
      )
    }).pipe(Effect.scoped)
  )

  it.live("goes on where a reader was, whichever message was its last", () =>
    Effect.gen(function* () {
      const house = yield* open()
      const token = yield* house.mint("ours")
      const id = yield* house.create(token)
      yield* house.turn(token, id, "slow 3 0")
      const whole = yield* (yield* listen(house, token, id)).until(isLive)
      const told = whole.filter(({ id }) => id !== undefined)
      assert.isAbove(told.length, 8)
      for (const [nth, { id: place = null }] of told.entries()) {
        const reader = yield* listen(house, token, id, place)
        const rest = (yield* reader.until(isLive)).filter(({ id }) => id !== undefined)
        assert.deepStrictEqual(rest, told.slice(nth + 1))
        yield* reader.leave
      }
      const query = yield* house.call(api(id, "/stream?after=e1.s"), { token })
      assert.deepStrictEqual([query.status, query.json.error], [400, "invalid_request"])
    }).pipe(Effect.scoped)
  )

  it.live("is the same for many readers at once", () =>
    Effect.gen(function* () {
      const house = yield* open()
      const token = yield* house.mint("ours")
      const id = yield* house.create(token)
      yield* house.turn(token, id, "hello")
      const readers = yield* Effect.all(Array.from({ length: 30 }, () => listen(house, token, id)))
      const stored = yield* Effect.all(readers.map(({ until }) => until(isLive)))
      yield* Effect.forkScoped(house.turn(token, id, "slow 20 5"))
      const came = yield* Effect.all(
        readers.map(({ until }) => until(stepTo("idle.awake"))),
        { concurrency: "unbounded" }
      )
      const { json } = yield* house.call(api(id), { token })
      for (const [nth, live] of came.entries()) {
        assert.deepStrictEqual(seqsOf([...(stored[nth] ?? []), ...live], "step"), counting(json.last_step))
      }
    }).pipe(Effect.scoped)
  )

  it.live("goes on after a restart of Troupe where it was before", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratch
      const before = yield* Effect.gen(function* () {
        const house = yield* open({ dataDir })
        const token = yield* house.mint("ours")
        const id = yield* house.create(token)
        yield* house.turn(token, id, "hello")
        const told = yield* (yield* listen(house, token, id)).until(isLive)
        return { token, id, told, place: told.findLast(({ id }) => id !== undefined)?.id ?? "" }
      }).pipe(Effect.scoped)
      const { id, place, told, token } = before
      const house = yield* open({ dataDir })
      const rest = yield* (yield* listen(house, token, id, place)).until(isLive)
      const { json } = yield* house.call(api(id), { token })
      assert.strictEqual(json.session.substate, "idle.asleep")
      assert.deepStrictEqual(json.owed, [])
      assert.isTrue(json.processes.every(({ ended_at }: { readonly ended_at: number | null }) => ended_at !== null))
      assert.deepStrictEqual(seqsOf([...told, ...rest], "step"), counting(json.last_step))
      assert.deepStrictEqual(seqsOf([...told, ...rest], "event"), counting(json.last_event))
    }).pipe(Effect.scoped)
  )

  it.live("is there of a closed session too, and tells its end to whoever listened", () =>
    Effect.gen(function* () {
      const house = yield* open()
      const token = yield* house.mint("ours")
      const id = yield* house.create(token)
      yield* house.turn(token, id, "hello")
      const reader = yield* listen(house, token, id)
      yield* reader.until(isLive)
      yield* house.call(api(id, "/close"), { token, body: {} })
      const heard = yield* reader.until(stepTo("closed"))
      assert.isAbove(heard.length, 1)
      const late = yield* (yield* listen(house, token, id)).until(isLive)
      const { json } = yield* house.call(api(id), { token })
      assert.deepStrictEqual(seqsOf(late, "step"), counting(json.last_step))
      assert.deepStrictEqual(seqsOf(late, "event"), counting(json.last_event))
    }).pipe(Effect.scoped)
  )
})

describe("events and steps", () => {
  const session = SessionId.make("ses_1")
  const event = (seq: number, at: number): StoredEvent => ({
    session,
    seq,
    turn: null,
    at,
    message: troupeMessage("state", {})
  })
  const step = (seq: number, at: number): StepRecord => ({
    session,
    seq,
    at,
    event: { type: "slot.granted" },
    from: "a",
    to: "b",
    commands: []
  })
  const shown = (merged: ReturnType<typeof merge>) =>
    merged.map((one) => `${"commands" in one ? "s" : "e"}${one.seq}`).join(" ")

  it("are merged by time, a step before the news of its own commit", () => {
    assert.strictEqual(shown(merge([event(1, 1), event(2, 5)], [step(1, 1), step(2, 4)], 10)), "s1 e1 s2 e2")
    assert.strictEqual(shown(merge([], [step(1, 1)], 10)), "s1")
    assert.strictEqual(shown(merge([event(1, 1)], [], 10)), "e1")
  })

  it("wait for the next page where one kind has more that may belong before them", () => {
    assert.strictEqual(shown(merge([event(1, 1), event(2, 2)], [step(1, 1), step(2, 9)], 3)), "s1 e1 e2 s2")
    assert.strictEqual(shown(merge([event(1, 1), event(2, 2)], [step(1, 1), step(2, 9)], 2)), "s1 e1 e2")
    assert.strictEqual(shown(merge([event(1, 8)], [step(1, 1), step(2, 2)], 2)), "s1 s2")
  })

  it("always come on, also with a clock that went back", () => {
    const events = [event(1, 100), event(2, 5)]
    const steps = [step(1, 100), step(2, 5)]
    assert.isAbove(merge(events, steps, 2).length, 0)
    assert.strictEqual(shown(merge(events, steps, 10)).split(" ").length, 4)
  })
})
