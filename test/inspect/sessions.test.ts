/** The table of all sessions, the pending approvals, and the counts of transitions: each of the caller's sessions only. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import type { Approvals, Coverage, Rows, SessionRows } from "../../src/inspect/contract.ts"
import { adminToken, open } from "./harness.ts"

type RunningTroupe = Effect.Success<ReturnType<typeof open>>

const asking = (troupe: RunningTroupe, token: string) => ({
  rows: (query = "") =>
    Effect.map(troupe.call(`/inspect/api/sessions${query}`, { token }), ({ json }) => json as SessionRows),
  approvals: Effect.map(troupe.call("/inspect/api/approvals", { token }), ({ json }) => json as Approvals),
  coverage: (query = "") =>
    Effect.map(troupe.call(`/inspect/api/coverage${query}`, { token }), ({ json }) => json as Coverage)
})

/** Waits until the agent of a session asks for an approval. */
const untilAsked = (troupe: RunningTroupe, token: string, id: string) =>
  Effect.gen(function* () {
    while ((yield* troupe.call(`/sessions/${id}/approvals`, { token })).json.count === 0)
      yield* Effect.sleep("20 millis")
  })

describe("the dashboard's table", () => {
  it.live("lists, filters, searches and counts the caller's sessions and no others", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const ours = yield* troupe.mint("ours")
      const theirs = yield* troupe.mint("theirs")
      const first = yield* troupe.create(ours)
      const second = yield* troupe.create(ours, { model: "Large-1" })
      const third = yield* troupe.create(theirs)
      yield* troupe.call(`/sessions/${second}`, { token: ours, method: "DELETE" })
      yield* troupe.turn(ours, first, "hello")

      const mine = asking(troupe, ours)
      const all = yield* mine.rows()
      assert.deepStrictEqual(
        all.sessions.map(({ session_id }) => session_id),
        [first, second]
      )
      assert.deepInclude(all, {
        ok: true,
        count: 2,
        counts: { idle: 1, turning: 0, retiring: 0, closed: 1 },
        agents: ["demo"],
        apps: [],
        next_cursor: null
      })
      assert.deepInclude(all.sessions[0], { app: "ours", substate: "idle.awake", turns: 1, restarts: 0 })
      assert.isNull(all.sessions[1]!.wait)

      const idsOf = (query: string) =>
        Effect.map(mine.rows(query), ({ sessions }) => sessions.map((one) => one.session_id))
      assert.deepStrictEqual(yield* idsOf("?state=closed"), [second])
      assert.deepStrictEqual(yield* idsOf("?q=large-1"), [second])
      assert.deepStrictEqual(yield* idsOf(`?q=${second}`), [second])
      assert.deepStrictEqual(yield* idsOf("?agent=codex"), [])
      // As if they did not exist.
      for (const query of [`?q=${third}`, "?app=theirs", "?app=nobody"]) {
        const none = yield* mine.rows(query)
        assert.deepStrictEqual([none.count, none.sessions], [0, []], query)
      }

      const admin = asking(troupe, adminToken)
      assert.deepInclude(yield* admin.rows(), { count: 3, apps: ["ours", "theirs"] })
      assert.deepStrictEqual(
        (yield* admin.rows("?app=theirs")).sessions.map(({ app }) => app),
        ["theirs"]
      )

      // No app can have that name.
      assert.deepStrictEqual((yield* admin.rows("?app=No%20App")).sessions, [])

      const page = yield* mine.rows("?limit=1")
      assert.strictEqual(page.count, 2)
      assert.deepStrictEqual(yield* idsOf(`?limit=1&cursor=${page.next_cursor}`), [second])
    }).pipe(Effect.scoped)
  )

  it.live("refuses an invalid query and names the field", () =>
    Effect.gen(function* () {
      const { call } = yield* open()
      for (const [query, field] of [
        ["state=open", "state"],
        ["substate=turning.sleeping", "substate"],
        ["outcome=lost", "outcome"],
        ["meta=team", "meta"],
        ["sort=size", "sort"],
        ["order=down", "order"],
        ["limit=0", "limit"],
        ["limit=501", "limit"],
        ["limit=ten", "limit"],
        ["cursor=nonsense", "cursor"],
        [`cursor=${Buffer.from("1.5 ses_1").toString("base64url")}`, "cursor"],
        [`cursor=${Buffer.from("1 ses\0_1").toString("base64url")}`, "cursor"],
        ["q=a%00b", "q"],
        ["limit=2&limit=3", "limit"],
        ["agnet=demo", "agnet is not a known parameter (did you mean `agent`?)."]
      ] as const) {
        const { json, status } = yield* call(`/inspect/api/sessions?${query}`, { token: adminToken })
        assert.strictEqual(status, 400)
        assert.containSubset(json, { ok: false, error: "invalid_request" })
        assert.include(json.detail, field)
      }
      // A form sends blank fields too.
      assert.strictEqual(
        (yield* call("/inspect/api/sessions?q=&state=&agent=&app=", { token: adminToken })).status,
        200
      )
      for (const [method, path] of [
        ["POST", "/inspect/api/coverage"],
        ["GET", "/inspect/api/nothing"],
        ["DELETE", "/inspect/api/me"]
      ] as const) {
        const { json, status } = yield* call(path, { method, token: adminToken })
        assert.strictEqual(status, 404, `${method} ${path}`)
        assert.strictEqual(json.ok, false)
      }
    }).pipe(Effect.scoped)
  )

  it.live("names each session, sorts by its turns and outcomes, and has lists by substate, outcome and metadata", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const ours = yield* troupe.mint("ours")
      const theirs = yield* troupe.mint("theirs")
      const titled = yield* troupe.create(ours, { meta: { title: "Ticket 7", team: "red", urgent: true } })
      const prompted = yield* troupe.create(ours, { meta: { team: "blue" } })
      const fresh = yield* troupe.create(ours)
      const foreign = yield* troupe.create(theirs, { meta: { team: "red" } })
      yield* troupe.turn(ours, prompted, "fail model")
      yield* troupe.turn(ours, titled, "Say hello")
      yield* troupe.turn(ours, titled, "Once more")

      const mine = asking(troupe, ours)
      const named = (query: string) => Effect.map(mine.rows(query), ({ sessions }) => sessions.map(({ name }) => name))
      assert.deepStrictEqual(yield* named("?sort=turns"), ["Ticket 7", "fail model", fresh])
      assert.deepStrictEqual(yield* named("?sort=outcome&order=asc"), ["fail model", "Ticket 7", fresh])
      assert.deepStrictEqual(yield* named("?sort=created&order=asc"), ["Ticket 7", "fail model", fresh])
      assert.deepStrictEqual(yield* named("?substate=idle.asleep"), [fresh])
      assert.deepStrictEqual(yield* named("?outcome=failed"), ["fail model"])
      assert.deepStrictEqual(yield* named("?meta=team%3Dred"), ["Ticket 7"])
      assert.deepStrictEqual(yield* named("?meta=urgent%3Dtrue"), ["Ticket 7"])
      assert.deepStrictEqual(yield* named("?q=fail%20mod"), ["fail model"])
      assert.deepStrictEqual(yield* named("?q=ticket"), ["Ticket 7"])

      const { is_bounded, sessions, substates } = yield* mine.rows("?sort=turns")
      assert.isFalse(is_bounded)
      assert.deepInclude(substates, { "idle.asleep": 1, "idle.awake": 2 })
      assert.deepStrictEqual(sessions[0]?.meta, { title: "Ticket 7", team: "red", urgent: "true" })
      assert.isAtLeast(sessions[0]?.heard_at ?? 0, sessions[0]!.last_activity_at)

      const rows = (ids: ReadonlyArray<string>, token = ours) =>
        Effect.map(troupe.call(`/inspect/api/rows?ids=${ids.join(",")}`, { token }), ({ json }) => json as Rows)
      // In the order in which they are asked for, without another app's, and without what there is not.
      assert.deepStrictEqual(
        (yield* rows([fresh, foreign, "ses_nobody", titled])).sessions.map(({ session_id }) => session_id),
        [fresh, titled]
      )
      assert.lengthOf((yield* rows([foreign], adminToken)).sessions, 1)
      const many = Array.from({ length: 201 }, (_, n) => `ses_${n}`)
      const refused = yield* troupe.call(`/inspect/api/rows?ids=${many.join(",")}`, { token: ours })
      assert.deepStrictEqual([refused.status, refused.json.error], [400, "invalid_request"])

      const next = (yield* mine.rows("?sort=turns&limit=1")).next_cursor
      assert.deepStrictEqual(yield* named(`?sort=turns&limit=1&cursor=${next}`), ["fail model"])
      const other = yield* troupe.call(`/inspect/api/sessions?sort=cost&cursor=${next}`, { token: ours })
      assert.strictEqual(other.status, 400)
      assert.include(other.json.detail, "cursor")
    }).pipe(Effect.scoped)
  )

  it.live("lists every pending approval, and says that its session waits for a person", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const ours = yield* troupe.mint("ours")
      const theirs = yield* troupe.mint("theirs")
      const id = yield* troupe.create(ours, { permissions: "ask" })
      const turn = yield* Effect.forkChild(troupe.turn(ours, id, "ask execute"), { startImmediately: true })
      yield* untilAsked(troupe, ours, id)

      const { approvals } = yield* asking(troupe, ours).approvals
      assert.strictEqual(approvals.length, 1)
      const [approval] = approvals
      assert.deepInclude(approval, {
        session_id: id,
        name: "ask execute",
        app: "ours",
        agent: "demo",
        turn: 1,
        status: "pending"
      })
      assert.deepStrictEqual((yield* asking(troupe, theirs).approvals).approvals, [])
      assert.deepStrictEqual((yield* asking(troupe, adminToken).approvals).approvals, approvals)
      const [row] = (yield* asking(troupe, ours).rows("?state=turning")).sessions
      assert.deepInclude(row?.wait, { what: `an answer to: ${approval!.title}`, who: "person" })
      assert.deepInclude(row?.wait?.next, {
        timer: "approvalTimeout",
        at: approval!.deadline_at,
        to: "turning.running"
      })

      const path = `/sessions/${id}/approvals/${approval!.approval_id}`
      yield* troupe.call(path, { token: ours, body: { decision: "deny" } })
      assert.deepStrictEqual((yield* asking(troupe, ours).approvals).approvals, [])
      assert.include((yield* Fiber.join(turn)).final_text, "reject")
    }).pipe(Effect.scoped)
  )

  it.live("counts how often each transition was taken, by agent, over the caller's sessions", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const ours = yield* troupe.mint("ours")
      const theirs = yield* troupe.mint("theirs")
      const id = yield* troupe.create(ours)
      for (const prompt of ["one", "two"]) yield* troupe.turn(ours, id, prompt)
      const { taken } = yield* asking(troupe, ours).coverage()
      const times = (event: string) => taken.filter((one) => one.event === event).map(({ n }) => n)
      assert.deepStrictEqual(times("turn.ended"), [2])
      assert.deepStrictEqual(times("process.ready"), [1])
      assert.deepStrictEqual((yield* asking(troupe, adminToken).coverage("?agent=demo")).taken, taken)
      assert.deepStrictEqual((yield* asking(troupe, adminToken).coverage("?agent=codex")).taken, [])
      assert.deepStrictEqual((yield* asking(troupe, theirs).coverage()).taken, [])
    }).pipe(Effect.scoped)
  )
})
