/** The stream of all sessions: in order, nothing missed, nothing repeated, and only what the caller may see. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { SlimStep } from "../../src/inspect/contract.ts"
import { readEvents } from "../http/readEvents.ts"
import type { ReadEvent } from "../http/readEvents.ts"
import { adminToken, cookieOf, open, scratch } from "./harness.ts"

type RunningTroupe = Effect.Success<ReturnType<typeof open>>

const follow = (troupe: RunningTroupe, token: string, lastEventId?: string) =>
  Effect.map(
    troupe.ask("/inspect/api/steps", {
      token,
      ...(lastEventId === undefined ? {} : { headers: { "last-event-id": lastEventId } })
    }),
    readEvents
  )

/** Reads up to the first match, without comments. */
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
  it.live("sends a session's changes from its creation on, each step with the row as of that step", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("desk")
      const stream = yield* follow(troupe, token)
      assert.deepStrictEqual(
        (yield* until(stream, isEvent("live"))).map(({ event }) => event),
        ["live"]
      )
      const id = yield* troupe.create(token)
      yield* troupe.turn(token, id, "hello")
      const received = yield* until(stream, isStep("turn.ended"))
      assert.deepStrictEqual(received.map(slim), [
        { seq: 0, event: "created", to: "idle.asleep", substate: "idle.asleep", who: "app" },
        { seq: 1, event: "turn.submitted", to: "turning.queued", substate: "turning.queued", who: "troupe" },
        { seq: 2, event: "slot.granted", to: "turning.starting", substate: "turning.starting", who: "agent" },
        { seq: 3, event: "process.ready", to: "turning.running", substate: "turning.running", who: "agent" },
        { seq: 4, event: "turn.ended", to: "idle.awake", substate: "idle.awake", who: "app" }
      ])
      const { boot } = (yield* troupe.call("/inspect/api/me", { token })).json
      assert.deepStrictEqual(
        received.map(({ id }) => id),
        [1, 2, 3, 4, 5].map((n) => `${boot}:${n}`)
      )
      // The row in a step is the row that the table shows.
      const { sessions } = (yield* troupe.call("/inspect/api/sessions", { token })).json
      assert.deepStrictEqual(sessions, [stepOf(received.at(-1)!).row])
      assert.deepInclude(sessions[0].wait, { what: "a turn" })
      assert.deepInclude(sessions[0].wait.next, { timer: "hibernateAfter", to: "retiring.asking" })
      yield* stream.leave
    }).pipe(Effect.scoped)
  )

  it.live(
    "tells what fires next where only the session's actor knows it, and the table and the detail say the same",
    () =>
      Effect.gen(function* () {
        const troupe = yield* open({ limits: { turnQuietMillis: 60_000 } })
        const token = yield* troupe.mint("desk")
        const stream = yield* follow(troupe, token)
        yield* until(stream, isEvent("live"))
        const id = yield* troupe.create(token)
        yield* troupe.call(`/sessions/${id}/turn`, { token, body: { prompt: "hang", wait: false } })
        const handed = (yield* until(stream, isStep("process.ready"))).at(-1)!
        assert.strictEqual(stepOf(handed).row.wait?.next?.timer, "turnWithin")

        const waits = stepOf((yield* until(stream, isStep("waits"))).at(-1)!)
        assert.deepInclude(waits, { seq: stepOf(handed).seq, from: "turning.running", to: "turning.running" })
        const { next } = waits.row.wait!
        assert.deepInclude(next, { timer: "postToolQuiet", to: "turning.probing" })
        const listed = yield* troupe.call("/inspect/api/sessions", { token })
        assert.deepStrictEqual(listed.json.sessions[0].wait.next, next)
        const { why, timers } = (yield* troupe.call(`/inspect/api/sessions/${id}`, { token })).json
        assert.deepStrictEqual(why.wait.next, next)
        assert.match(why.sentence, /If it stays silent it is asked for a sign of life in \d+ s\.$/)
        assert.deepInclude(timers, { timer: "postToolQuiet", event: "agent.quiet", due_at: next!.at })
        yield* troupe.call(`/sessions/${id}/interrupt`, { token, method: "POST" })
        const interrupted = stepOf((yield* until(stream, isStep("interrupt.requested"))).at(-1)!)
        assert.notStrictEqual(interrupted.row.wait?.next?.timer, "turnWithin")
      }).pipe(Effect.scoped)
  )

  it.live("sends a reader that reconnects what it missed, once", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("desk")
      const first = yield* follow(troupe, token)
      yield* until(first, isEvent("live"))
      const id = yield* troupe.create(token)
      yield* troupe.turn(token, id, "one")
      const seen = yield* until(first, isStep("process.ready"))
      yield* first.leave
      yield* troupe.turn(token, id, "two")

      const again = yield* follow(troupe, token, seen.at(-1)!.id)
      const missed = yield* until(again, isEvent("live"))
      assert.deepStrictEqual(
        missed.filter(isEvent("step")).map((read) => stepOf(read).seq),
        [4, 5, 6]
      )
      yield* troupe.call(`/sessions/${id}`, { token, method: "DELETE" })
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

  it.live("sends an app its own sessions only, and the admin all", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const ours = yield* troupe.mint("ours")
      const theirs = yield* troupe.mint("theirs")
      const streams = yield* Effect.forEach([ours, theirs, adminToken], (token) => follow(troupe, token))
      for (const stream of streams) yield* until(stream, isEvent("live"))
      const ourSession = yield* troupe.create(ours)
      const theirSession = yield* troupe.create(theirs)
      const received = yield* Effect.forEach(streams, (stream, nth) =>
        until(stream, (read) => stepOf(read).row.session_id === (nth === 0 ? ourSession : theirSession))
      )
      assert.deepStrictEqual(
        received.map((reads) => reads.map((read) => stepOf(read).row.session_id)),
        [[ourSession], [theirSession], [ourSession, theirSession]]
      )
      // Also where it asks for earlier changes.
      const { boot } = (yield* troupe.call("/inspect/api/me", { token: ours })).json
      const from = yield* follow(troupe, ours, `${boot}:0`)
      const all = yield* until(from, isEvent("live"))
      assert.deepStrictEqual(
        all.filter(isEvent("step")).map((read) => stepOf(read).row.session_id),
        [ourSession]
      )
      for (const stream of [...streams, from]) yield* stream.leave
    }).pipe(Effect.scoped)
  )

  it.live("sends the removal of a deleted session", () =>
    Effect.gen(function* () {
      const troupe = yield* open({ limits: { sessionHardTtlMillis: 0 } })
      const token = yield* troupe.mint("desk")
      const id = yield* troupe.create(token)
      yield* troupe.call(`/sessions/${id}`, { token, method: "DELETE" })
      const stream = yield* follow(troupe, token)
      yield* until(stream, isEvent("live"))
      yield* Effect.sleep("5 millis")
      const swept = yield* troupe.call("/admin/sweep", { token: adminToken, method: "POST" })
      assert.strictEqual(swept.json.hard_deleted, 1, swept.text)
      const [removed] = yield* until(stream, isEvent("removed"))
      assert.deepStrictEqual(JSON.parse(removed!.data!), { session_id: id })
      yield* stream.leave
    }).pipe(Effect.scoped)
  )

  it.live("sends a reset to a reader from before a restart or with an invalid id", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratch
      const before = yield* Scope.make()
      const old = yield* open({ dataDir }).pipe(Effect.provideService(Scope.Scope, before))
      const stream = yield* follow(old, adminToken)
      const [{ id } = { id: undefined }] = yield* until(stream, isEvent("live"))
      yield* Scope.close(before, Exit.void)
      assert.deepStrictEqual(yield* stream.rest, [])

      const troupe = yield* open({ dataDir })
      for (const lastEventId of [id!, "nonsense", `${id!.split(":")[0]}:999`]) {
        const again = yield* follow(troupe, adminToken, lastEventId)
        assert.deepStrictEqual(
          (yield* until(again, isEvent("live"))).map(({ event }) => event),
          ["reset", "live"]
        )
        yield* again.leave
      }
      const { boot } = (yield* troupe.call("/inspect/api/me", { token: adminToken })).json
      const future = yield* follow(troupe, adminToken, `${boot}:999`)
      assert.deepStrictEqual(
        (yield* until(future, isEvent("live"))).map(({ event }) => event),
        ["reset", "live"]
      )
      yield* future.leave
    }).pipe(Effect.scoped)
  )

  it.effect("ends within 5 s after its token was revoked, by header or by cookie", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("desk")
      const login = yield* troupe.call("/inspect/api/login", { body: { token } })
      const byCookie = readEvents(
        yield* troupe.ask("/inspect/api/steps", { headers: { cookie: cookieOf(login.headers) } })
      )
      const streams = [yield* follow(troupe, token), byCookie]
      for (const stream of streams) yield* until(stream, isEvent("live"))
      yield* Effect.orDie(troupe.apps.revoke("desk"))
      yield* TestClock.adjust("4 seconds")
      for (const stream of streams) {
        const [last] = yield* until(stream, isEvent("error"))
        assert.containSubset(JSON.parse(last!.data!), { ok: false, error: "unauthorized", status: 401 })
        assert.deepStrictEqual(yield* stream.rest, [])
      }
    }).pipe(Effect.scoped)
  )
})
