/** `GET live`: several streams over one connection, each from its position, and the client that changes what it follows. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createApi } from "../../src/inspect/client/api.ts"
import type { Phase } from "../../src/inspect/client/live.ts"
import type { ServerEvent } from "../../src/inspect/client/sse.ts"
import { followTopics } from "../../src/inspect/client/topics.ts"
import type { Topics } from "../../src/inspect/client/topics.ts"
import { adminToken, open, scratch } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"

/** What a reader of the real client got, topic by topic. */
const clientOf = ({ base }: RunningTroupe, token: string) => {
  const asked: Array<string> = []
  const controller = new AbortController()
  const send: typeof fetch = (url, init) => {
    asked.push(String(url))
    const headers = { ...(init?.headers as Record<string, string>), authorization: `Bearer ${token}` }
    return fetch(url, {
      ...init,
      headers,
      signal: AbortSignal.any([controller.signal, init?.signal ?? controller.signal])
    })
  }
  const topics = followTopics({ urlOf: createApi(`${base}/inspect/api/`).liveUrl, onHeard: () => {}, send })
  return { topics, asked, leave: () => controller.abort() }
}

const watching = (topics: Topics, name: string, after = "") => {
  const events: Array<ServerEvent> = []
  const phases: Array<Phase> = []
  const stop = topics.follow(name, after, {
    onEvent: (event) => events.push(event),
    onPhase: (phase) => phases.push(phase)
  })
  return { events, phases, stop, phase: () => phases.at(-1)?.name }
}

const until = (isIt: () => boolean) =>
  Effect.gen(function* () {
    while (!isIt()) yield* Effect.sleep("5 millis")
  }).pipe(Effect.timeout("20 seconds"), Effect.orDie)

const seqs = (events: ReadonlyArray<ServerEvent>, kind: string) =>
  events.flatMap(({ data, event }) => (event === kind ? [(JSON.parse(data) as { readonly seq: number }).seq] : []))
const counting = (last: number) => Array.from({ length: last }, (_, nth) => nth + 1)

describe("many topics over one connection", () => {
  it.live("has each whole and in order while others come and go, and connects once for those that come together", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const [one, two] = [yield* troupe.create(token), yield* troupe.create(token)]
      yield* troupe.turn(token, one, "hello")
      const { asked, leave, topics } = clientOf(troupe, token)
      yield* Effect.addFinalizer(() => Effect.sync(leave))
      const steps = watching(topics, "steps")
      const first = watching(topics, one)
      yield* until(() => steps.phase() === "live" && first.phase() === "live")
      assert.strictEqual(asked.length, 1)
      const running = yield* Effect.forkScoped(troupe.turn(token, one, "slow 40 10"))
      yield* until(() => first.events.length > 20)
      // In the middle of a turn.
      const second = watching(topics, two)
      yield* until(() => second.phase() === "live")
      yield* troupe.turn(token, two, "hello")
      second.stop()
      yield* Effect.sleep("100 millis")
      yield* until(() => running.pollUnsafe() !== undefined)
      const { json } = yield* troupe.call(`/inspect/api/sessions/${one}`, { token })
      yield* until(() => seqs(first.events, "step").length === json.last_step)
      assert.deepStrictEqual(seqs(first.events, "step"), counting(json.last_step))
      yield* until(() => seqs(first.events, "event").length === json.last_event)
      assert.deepStrictEqual(seqs(first.events, "event"), counting(json.last_event))
      // One that is live is not told of connections that are made for others.
      assert.deepStrictEqual(
        first.phases.map(({ name }) => name),
        ["connecting", "connecting", "catching-up", "live"]
      )
      const changes = steps.events.flatMap(({ data, event }) =>
        event === "step" ? [JSON.parse(data) as { readonly n: number }] : []
      )
      assert.deepStrictEqual(
        changes.map(({ n }) => n),
        changes.map(({ n }) => n).toSorted((a, b) => a - b)
      )
      assert.strictEqual(new Set(changes.map(({ n }) => n)).size, changes.length)
      assert.strictEqual(asked.length, 3)
    }).pipe(Effect.scoped)
  )

  it.live("says of a session that can't be followed that it is gone, and goes on with the others", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const [ours, theirs] = [yield* troupe.mint("ours"), yield* troupe.mint("theirs")]
      const [seen, hidden] = [yield* troupe.create(ours), yield* troupe.create(theirs)]
      const { leave, topics } = clientOf(troupe, ours)
      yield* Effect.addFinalizer(() => Effect.sync(leave))
      const [other, nameless, mine] = [watching(topics, hidden), watching(topics, ""), watching(topics, seen)]
      yield* until(() => [mine, other, nameless].every((each) => each.phase() === (each === mine ? "live" : "refused")))
      const last = other.phases.at(-1)
      assert.deepInclude(last?.name === "refused" ? last.problem : {}, { error: "session_not_found", status: 404 })
      assert.deepStrictEqual(other.events, [])
      yield* troupe.turn(ours, seen, "hello")
      yield* until(() => mine.events.some(({ data }) => data.includes("idle.awake")))
    }).pipe(Effect.scoped)
  )

  it.live("ends with the caller's access, for every topic", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token)
      const { asked, leave, topics } = clientOf(troupe, token)
      yield* Effect.addFinalizer(() => Effect.sync(leave))
      const both = [watching(topics, "steps"), watching(topics, id)]
      yield* until(() => both.every(({ phase }) => phase() === "live"))
      yield* Effect.orDie(troupe.apps.revoke("ours"))
      yield* until(() => both.every(({ phase }) => phase() === "refused"))
      assert.strictEqual(asked.length, 1)
    }).pipe(Effect.scoped)
  )

  it.live("goes on after a restart where it was, and tells the reader of all sessions to ask anew", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratch
      const before = yield* Effect.gen(function* () {
        const troupe = yield* open({ dataDir })
        const token = yield* troupe.mint("ours")
        const id = yield* troupe.create(token)
        yield* troupe.turn(token, id, "hello")
        const { leave, topics } = clientOf(troupe, token)
        const [steps, session] = [watching(topics, "steps"), watching(topics, id)]
        yield* until(() => steps.phase() === "live" && session.phase() === "live")
        leave()
        return { token, id, steps: steps.events, session: session.events }
      }).pipe(Effect.scoped)
      const troupe = yield* open({ dataDir })
      const { leave, topics } = clientOf(troupe, before.token)
      yield* Effect.addFinalizer(() => Effect.sync(leave))
      const lastId = (events: ReadonlyArray<ServerEvent>) => events.findLast(({ id }) => id !== "")?.id ?? ""
      const steps = watching(topics, "steps", lastId(before.steps))
      const session = watching(topics, before.id, lastId(before.session))
      yield* until(() => steps.phase() === "live" && session.phase() === "live")
      assert.strictEqual(steps.events[0]?.event, "reset")
      const { json } = yield* troupe.call(`/inspect/api/sessions/${before.id}`, { token: before.token })
      assert.deepStrictEqual(seqs([...before.session, ...session.events], "step"), counting(json.last_step))
      assert.deepStrictEqual(seqs([...before.session, ...session.events], "event"), counting(json.last_event))
    }).pipe(Effect.scoped)
  )

  it.live("has long answers compressed beside it for clients that take that, and short ones as they are", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("ours")
      const id = yield* troupe.create(token)
      for (let n = 0; n < 4; n++) yield* troupe.turn(token, id, "hello")
      const asked = (path: string, encoding: string) =>
        Effect.gen(function* () {
          const headers = { "accept-encoding": encoding }
          const answer = yield* troupe.ask(`/inspect/api/${path}`, { token, headers })
          const json = yield* Effect.promise(() => answer.json())
          return { encoding: answer.headers.get("content-encoding"), vary: answer.headers.get("vary"), json }
        })
      const [packed, plain] = [
        yield* asked(`sessions/${id}/events`, "gzip"),
        yield* asked(`sessions/${id}/events`, "identity")
      ]
      assert.deepStrictEqual([packed.encoding, plain.encoding], ["gzip", null])
      assert.deepStrictEqual([packed.vary, plain.vary], ["accept-encoding", "accept-encoding"])
      assert.deepStrictEqual(packed.json, plain.json)
      assert.isNull((yield* asked("me", "gzip")).encoding)
    }).pipe(Effect.scoped)
  )

  it.live("refuses no topic, too many, and a position that is none", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const id = yield* troupe.create(yield* troupe.mint("ours"))
      const refused = (query: string) =>
        Effect.map(troupe.call(`/inspect/api/live${query}`, { token: adminToken }), ({ json, status }) => [
          status,
          json.error
        ])
      const many = Array.from({ length: 65 }, () => "on=steps").join("&")
      for (const query of ["", `?${many}`, `?on=${id}~e1.s`])
        assert.deepStrictEqual(yield* refused(query), [400, "invalid_request"])
      assert.deepStrictEqual((yield* troupe.call("/inspect/api/live?on=steps", { token: null })).status, 401)
    }).pipe(Effect.scoped)
  )
})
