/** The stream of one session: what is stored, then what is committed, also for a reader that reconnects. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { get } from "node:http"
import { constants, createGunzip } from "node:zlib"
import { troupeMessage } from "../../src/domain/events/troupeMessage.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import type { StoredEvent } from "../../src/domain/Session.ts"
import type { StepRecord } from "../../src/ledger/Ledger.ts"
import { merge } from "../../src/services/inspection/followSession.ts"
import { readEvents } from "../http/readEvents.ts"
import type { ReadEvent } from "../http/readEvents.ts"
import { open, scratch } from "./harness.ts"

type RunningTroupe = Effect.Success<ReturnType<typeof open>>

const api = (id: string, rest = "") => `/inspect/api/sessions/${id}${rest}`

/** A reader of the stream after that id; it disconnects with the scope. */
const listen = Effect.fnUntraced(function* (
  troupe: RunningTroupe,
  token: string,
  id: string,
  from: string | null = null
) {
  const headers = from === null ? {} : { "last-event-id": from }
  const controller = new AbortController()
  yield* Effect.addFinalizer(() => Effect.sync(() => controller.abort()))
  const response = yield* troupe.ask(api(id, "/stream"), { token, headers, signal: controller.signal })
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
  it.live("sends what is stored and then what is committed, each once and in order, with the position as its id", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token)
      yield* troupe.turn(token, id, "hello")
      const reader = yield* listen(troupe, token, id)
      const before = yield* reader.until(isLive)
      yield* Effect.forkScoped(troupe.turn(token, id, "slow 30 10"))
      const after = yield* reader.until(stepTo("idle.awake"))
      // Once more when its commands are carried out.
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
      const { json } = yield* troupe.call(api(id), { token })
      assert.deepStrictEqual([steps.length, events.length], [json.last_step, json.last_event])
      const stored = yield* troupe.call(api(id, "/steps?limit=1000"), { token })
      assert.deepStrictEqual(
        all.flatMap(({ data, event }) => (event === "step" ? [JSON.parse(data ?? "")] : [])),
        stored.json.steps
      )
    }).pipe(Effect.scoped)
  )

  it.live("is compressed for a client that takes that, each message at once, and plain for any other", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token)
      yield* troupe.turn(token, id, "slow 400 0")
      const read = (encoding: string) =>
        Effect.promise(
          () =>
            new Promise<{ readonly bytes: number; readonly text: string; readonly encoding: string | undefined }>(
              (resolve, reject) => {
                const headers = { authorization: `Bearer ${token}`, "accept-encoding": encoding }
                const request = get(`${troupe.base}${api(id, "/stream")}`, { headers }, (response) => {
                  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH })
                  const isPacked = response.headers["content-encoding"] === "gzip"
                  let [bytes, text] = [0, ""]
                  response.on("data", (chunk: Buffer) => (bytes += chunk.length))
                  // The stream goes on: all is there although nothing was ended.
                  const take = (chunk: Buffer) => {
                    text += chunk.toString()
                    if (!text.includes("event: live")) return
                    request.destroy()
                    resolve({ bytes, text, encoding: response.headers["content-encoding"] })
                  }
                  if (isPacked) response.pipe(gunzip).on("data", take)
                  else response.on("data", take)
                })
                request.on("error", reject)
              }
            )
        )
      const [packed, plain, refused] = [yield* read("br, gzip"), yield* read("identity"), yield* read("gzip;q=0")]
      const messages = (text: string) => text.split("\n").filter((line) => line.startsWith("data: "))
      assert.deepStrictEqual([packed.encoding, plain.encoding, refused.encoding], ["gzip", undefined, undefined])
      assert.deepStrictEqual(messages(packed.text), messages(plain.text))
      assert.isBelow(packed.bytes, plain.bytes / 3)
    }).pipe(Effect.scoped)
  )

  it.live("continues after the position of a reader that reconnects, whichever message was its last", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token)
      yield* troupe.turn(token, id, "slow 3 0")
      const whole = yield* (yield* listen(troupe, token, id)).until(isLive)
      const received = whole.filter(({ id }) => id !== undefined)
      assert.isAbove(received.length, 8)
      for (const [nth, { id: position = null }] of received.entries()) {
        const reader = yield* listen(troupe, token, id, position)
        const rest = (yield* reader.until(isLive)).filter(({ id }) => id !== undefined)
        assert.deepStrictEqual(rest, received.slice(nth + 1))
        yield* reader.leave
      }
      const query = yield* troupe.call(api(id, "/stream?after=e1.s"), { token })
      assert.deepStrictEqual([query.status, query.json.error], [400, "invalid_request"])
    }).pipe(Effect.scoped)
  )

  it.live("sends the same to many readers at once", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token)
      yield* troupe.turn(token, id, "hello")
      const readers = yield* Effect.all(Array.from({ length: 30 }, () => listen(troupe, token, id)))
      const stored = yield* Effect.all(readers.map(({ until }) => until(isLive)))
      yield* Effect.forkScoped(troupe.turn(token, id, "slow 20 5"))
      const came = yield* Effect.all(
        readers.map(({ until }) => until(stepTo("idle.awake"))),
        { concurrency: "unbounded" }
      )
      const { json } = yield* troupe.call(api(id), { token })
      for (const [nth, live] of came.entries()) {
        assert.deepStrictEqual(seqsOf([...(stored[nth] ?? []), ...live], "step"), counting(json.last_step))
      }
    }).pipe(Effect.scoped)
  )

  it.live("continues at the reader's position after a restart of Troupe", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratch
      const before = yield* Effect.gen(function* () {
        const troupe = yield* open({ dataDir })
        const token = yield* troupe.mint("ours")
        const id = yield* troupe.create(token)
        yield* troupe.turn(token, id, "hello")
        const received = yield* (yield* listen(troupe, token, id)).until(isLive)
        return { token, id, told: received, place: received.findLast(({ id }) => id !== undefined)?.id ?? "" }
      }).pipe(Effect.scoped)
      const { id, place: position, told: received, token } = before
      const troupe = yield* open({ dataDir })
      const rest = yield* (yield* listen(troupe, token, id, position)).until(isLive)
      const { json } = yield* troupe.call(api(id), { token })
      assert.strictEqual(json.session.substate, "idle.asleep")
      assert.deepStrictEqual(json.owed, [])
      assert.isTrue(json.processes.every(({ ended_at }: { readonly ended_at: number | null }) => ended_at !== null))
      assert.deepStrictEqual(seqsOf([...received, ...rest], "step"), counting(json.last_step))
      assert.deepStrictEqual(seqsOf([...received, ...rest], "event"), counting(json.last_event))
    }).pipe(Effect.scoped)
  )

  it.live("sends a closed session whole, and the close itself to readers that are connected", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token)
      yield* troupe.turn(token, id, "hello")
      const reader = yield* listen(troupe, token, id)
      yield* reader.until(isLive)
      yield* troupe.call(api(id, "/close"), { token, body: {} })
      const received = yield* reader.until(stepTo("closed"))
      assert.isAbove(received.length, 1)
      const late = yield* (yield* listen(troupe, token, id)).until(isLive)
      const { json } = yield* troupe.call(api(id), { token })
      assert.deepStrictEqual(seqsOf(late, "step"), counting(json.last_step))
      assert.deepStrictEqual(seqsOf(late, "event"), counting(json.last_event))
    }).pipe(Effect.scoped)
  )
})

describe("merging events and steps", () => {
  const session = SessionId.make("ses_1")
  const event = (seq: number, at: number): StoredEvent => ({
    session,
    seq,
    turn: null,
    at,
    message: troupeMessage("state", { from: "idle.awake", to: "idle.asleep", event: "idle" })
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
  const orderOf = (merged: ReturnType<typeof merge>) =>
    merged.map((one) => `${"commands" in one ? "s" : "e"}${one.seq}`).join(" ")

  it("orders them by time, a step before the events of its own commit", () => {
    assert.strictEqual(orderOf(merge([event(1, 1), event(2, 5)], [step(1, 1), step(2, 4)], 10)), "s1 e1 s2 e2")
    assert.strictEqual(orderOf(merge([], [step(1, 1)], 10)), "s1")
    assert.strictEqual(orderOf(merge([event(1, 1)], [], 10)), "e1")
  })

  it("leaves records for the next page where a full page of the other kind may have earlier ones", () => {
    assert.strictEqual(orderOf(merge([event(1, 1), event(2, 2)], [step(1, 1), step(2, 9)], 3)), "s1 e1 e2 s2")
    assert.strictEqual(orderOf(merge([event(1, 1), event(2, 2)], [step(1, 1), step(2, 9)], 2)), "s1 e1 e2")
    assert.strictEqual(orderOf(merge([event(1, 8)], [step(1, 1), step(2, 2)], 2)), "s1 s2")
  })

  it("always makes progress, also where the clock went back", () => {
    const events = [event(1, 100), event(2, 5)]
    const steps = [step(1, 100), step(2, 5)]
    assert.isAbove(merge(events, steps, 2).length, 0)
    assert.strictEqual(orderOf(merge(events, steps, 10)).split(" ").length, 4)
  })
})
