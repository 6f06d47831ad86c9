/** The news of all sessions: in order, nothing missed, nothing repeated, and only what the reader may see. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { SlimStep } from "../../src/inspect/contract.ts"
import { readEvents } from "../http/readEvents.ts"
import type { ReadEvent } from "../http/readEvents.ts"
import { adminToken, cookieOf, open, scratch } from "./harness.ts"

type House = Effect.Success<ReturnType<typeof open>>

const follow = (house: House, token: string, lastEventId?: string) =>
  Effect.map(
    house.ask("/inspect/api/steps", {
      token,
      ...(lastEventId === undefined ? {} : { headers: { "last-event-id": lastEventId } })
    }),
    readEvents
  )

/** Up to the first that fits, comments left out. */
const until = Effect.fnUntraced(function* (stream: ReturnType<typeof readEvents>, fits: (read: ReadEvent) => boolean) {
  const all: Array<ReadEvent> = []
  for (let read = yield* stream.next; read !== undefined; read = yield* stream.next) {
    if (read.comment !== undefined) continue
    all.push(read)
    if (fits(read)) break
  }
  return all
})

const isEvent = (name: string) => (read: ReadEvent) => read.event === name
const stepOf = ({ data = "" }: ReadEvent) => JSON.parse(data) as SlimStep
const isStep = (event: string) => (read: ReadEvent) => read.event === "step" && stepOf(read).event === event

const slim = (read: ReadEvent) => {
  const { event, row, seq, to } = stepOf(read)
  return { seq, event, to, substate: row.substate, who: row.wait?.who }
}

describe("the dashboard's stream of steps", () => {
  it.live("tells a session's life from its creation, each step with the row as it was then", () =>
    Effect.gen(function* () {
      const house = yield* open()
      const token = yield* house.mint("desk")
      const stream = yield* follow(house, token)
      assert.deepStrictEqual(
        (yield* until(stream, isEvent("live"))).map(({ event }) => event),
        ["live"]
      )
      const id = yield* house.create(token)
      yield* house.turn(token, id, "hello")
      const told = yield* until(stream, isStep("turn.ended"))
      assert.deepStrictEqual(told.map(slim), [
        { seq: 0, event: "created", to: "idle.asleep", substate: "idle.asleep", who: "app" },
        { seq: 1, event: "turn.submitted", to: "turning.queued", substate: "turning.queued", who: "troupe" },
        { seq: 2, event: "slot.granted", to: "turning.starting", substate: "turning.starting", who: "agent" },
        { seq: 3, event: "process.ready", to: "turning.running", substate: "turning.running", who: "agent" },
        { seq: 4, event: "turn.ended", to: "idle.awake", substate: "idle.awake", who: "app" }
      ])
      const { boot } = (yield* house.call("/inspect/api/me", { token })).json
      assert.deepStrictEqual(
        told.map(({ id }) => id),
        [1, 2, 3, 4, 5].map((n) => `${boot}:${n}`)
      )
      // What is told is what is read.
      const { sessions } = (yield* house.call("/inspect/api/sessions", { token })).json
      assert.deepStrictEqual(sessions, [stepOf(told.at(-1)!).row])
      assert.deepInclude(sessions[0].wait, { what: "a turn" })
      assert.deepInclude(sessions[0].wait.next, { timer: "hibernateAfter", to: "retiring.asking" })
      yield* stream.leave
    }).pipe(Effect.scoped)
  )

  it.live("gives a reader that comes back what it missed, once", () =>
    Effect.gen(function* () {
      const house = yield* open()
      const token = yield* house.mint("desk")
      const first = yield* follow(house, token)
      yield* until(first, isEvent("live"))
      const id = yield* house.create(token)
      yield* house.turn(token, id, "one")
      const seen = yield* until(first, isStep("process.ready"))
      yield* first.leave
      yield* house.turn(token, id, "two")

      const again = yield* follow(house, token, seen.at(-1)!.id)
      const missed = yield* until(again, isEvent("live"))
      assert.deepStrictEqual(
        missed.filter(isEvent("step")).map((read) => stepOf(read).seq),
        [4, 5, 6]
      )
      yield* house.call(`/sessions/${id}`, { token, method: "DELETE" })
      const rest = yield* until(again, (read) => read.event === "step" && stepOf(read).to === "closed")
      const ids = [...seen, ...missed.filter(isEvent("step")), ...rest].map((read) => stepOf(read).n)
      assert.deepStrictEqual(
        ids,
        ids.map((_, nth) => nth + 1)
      )
      assert.strictEqual(stepOf(rest.at(-1)!).row.wait, null)
      yield* again.leave
    }).pipe(Effect.scoped)
  )

  it.live("tells an app of its own sessions only, and the admin of all", () =>
    Effect.gen(function* () {
      const house = yield* open()
      const ours = yield* house.mint("ours")
      const theirs = yield* house.mint("theirs")
      const streams = yield* Effect.forEach([ours, theirs, adminToken], (token) => follow(house, token))
      for (const stream of streams) yield* until(stream, isEvent("live"))
      const ourSession = yield* house.create(ours)
      const theirSession = yield* house.create(theirs)
      const told = yield* Effect.forEach(streams, (stream, nth) =>
        until(stream, (read) => stepOf(read).row.session_id === (nth === 0 ? ourSession : theirSession))
      )
      assert.deepStrictEqual(
        told.map((reads) => reads.map((read) => stepOf(read).row.session_id)),
        [[ourSession], [theirSession], [ourSession, theirSession]]
      )
      // Also where it asks for what was before.
      const { boot } = (yield* house.call("/inspect/api/me", { token: ours })).json
      const from = yield* follow(house, ours, `${boot}:0`)
      const all = yield* until(from, isEvent("live"))
      assert.deepStrictEqual(
        all.filter(isEvent("step")).map((read) => stepOf(read).row.session_id),
        [ourSession]
      )
      for (const stream of [...streams, from]) yield* stream.leave
    }).pipe(Effect.scoped)
  )

  it.live("says when a session is deleted", () =>
    Effect.gen(function* () {
      const house = yield* open({ limits: { sessionHardTtlMillis: 0 } })
      const token = yield* house.mint("desk")
      const id = yield* house.create(token)
      yield* house.call(`/sessions/${id}`, { token, method: "DELETE" })
      const stream = yield* follow(house, token)
      yield* until(stream, isEvent("live"))
      yield* Effect.sleep("5 millis")
      const swept = yield* house.call("/admin/sweep", { token: adminToken, method: "POST" })
      assert.strictEqual(swept.json.hard_deleted, 1, swept.text)
      const [removed] = yield* until(stream, isEvent("removed"))
      assert.deepStrictEqual(JSON.parse(removed!.data!), { session_id: id })
      yield* stream.leave
    }).pipe(Effect.scoped)
  )

  it.live("sends a reader from before a restart, or with an id that is none, to ask anew", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratch
      const before = yield* Scope.make()
      const old = yield* open({ dataDir }).pipe(Effect.provideService(Scope.Scope, before))
      const stream = yield* follow(old, adminToken)
      const [{ id } = { id: undefined }] = yield* until(stream, isEvent("live"))
      yield* Scope.close(before, Exit.void)
      assert.deepStrictEqual(yield* stream.rest, [])

      const house = yield* open({ dataDir })
      for (const lastEventId of [id!, "nonsense", `${id!.split(":")[0]}:999`]) {
        const again = yield* follow(house, adminToken, lastEventId)
        assert.deepStrictEqual(
          (yield* until(again, isEvent("live"))).map(({ event }) => event),
          ["reset", "live"]
        )
        yield* again.leave
      }
      const { boot } = (yield* house.call("/inspect/api/me", { token: adminToken })).json
      const future = yield* follow(house, adminToken, `${boot}:999`)
      assert.deepStrictEqual(
        (yield* until(future, isEvent("live"))).map(({ event }) => event),
        ["reset", "live"]
      )
      yield* future.leave
    }).pipe(Effect.scoped)
  )

  it.effect("ends within half a minute for whom a token was revoked, by header or by cookie", () =>
    Effect.gen(function* () {
      const house = yield* open()
      const token = yield* house.mint("desk")
      const login = yield* house.call("/inspect/api/login", { body: { token } })
      const byCookie = readEvents(
        yield* house.ask("/inspect/api/steps", { headers: { cookie: cookieOf(login.headers) } })
      )
      const streams = [yield* follow(house, token), byCookie]
      for (const stream of streams) yield* until(stream, isEvent("live"))
      yield* Effect.orDie(house.apps.revoke("desk"))
      yield* TestClock.adjust("30 seconds")
      for (const stream of streams) {
        const [last] = yield* until(stream, isEvent("error"))
        assert.containSubset(JSON.parse(last!.data!), { ok: false, error: "unauthorized", status: 401 })
        assert.deepStrictEqual(yield* stream.rest, [])
      }
    }).pipe(Effect.scoped)
  )
})
