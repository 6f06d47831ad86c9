/** The page's requests and its table against a complete Troupe: the two sides of one contract. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { noFilter } from "../../../src/inspect/client/rows.ts"
import { createApi, Refused, unreachable } from "../../../src/inspect/client/api.ts"
import { follow } from "../../../src/inspect/client/live.ts"
import { Table } from "../../../src/inspect/page/sessions/table.ts"
import type { SlimStep } from "../../../src/inspect/contract.ts"
import { adminToken, open } from "../harness.ts"

/** Does a browser's part: keeps the cookie that it is sent. */
const browser = () => {
  let cookie = ""
  const send: typeof fetch = async (url, init) => {
    const headers = new Headers(init?.headers)
    if (cookie !== "") headers.set("cookie", cookie)
    const response = await fetch(url, { ...init, headers })
    const set = response.headers.get("set-cookie")?.split(";")[0]
    if (set !== undefined) cookie = set
    return response
  }
  return send
}

const problem = async (answer: Promise<unknown>) => {
  const cause = await answer.then(
    () => undefined,
    (cause: unknown) => cause
  )
  assert.instanceOf(cause, Refused)
  return (cause as Refused).problem
}

/** Polls until it holds; the test's own deadline ends it otherwise. */
const until = async <A>(look: () => A | undefined | false): Promise<A> => {
  for (;;) {
    const value = look()
    if (value !== undefined && value !== false) return value
    await new Promise((done) => setTimeout(done, 10))
  }
}

describe("the page's requests", () => {
  it.live("log in, read who is logged in, and fail with the server's problem", () =>
    Effect.gen(function* () {
      const { base } = yield* open()
      const api = createApi(`${base}/inspect/api/`, browser())
      yield* Effect.promise(async () => {
        assert.strictEqual((await problem(api.me())).error, "unauthorized")
        const wrong = await problem(api.login({ token: "wrong" }))
        assert.deepInclude(wrong, { status: 401, error: "unauthorized" })
        assert.match(wrong.detail, /unknown or revoked/)
        assert.isTrue((await api.login({ token: adminToken })).admin)
        assert.isTrue((await api.me()).admin)
        assert.strictEqual((await problem(api.detail("ses_nobody"))).status, 404)
        await api.logout()
        assert.strictEqual((await problem(api.me())).status, 401)
      })
    }).pipe(Effect.scoped)
  )

  it.live("fail where there is no server, or where something else than Troupe answers", () =>
    Effect.promise(async () => {
      const server = createServer((_, response) => response.writeHead(502, "Bad Gateway").end("<h1>nginx</h1>"))
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/inspect/api/`
      const answered = await problem(createApi(base).me())
      assert.deepInclude(answered, { status: 502, error: "unexpected_answer", title: "Bad Gateway" })
      await new Promise((done) => server.close(done))
      assert.deepStrictEqual(await problem(createApi(base).me()), unreachable)
    })
  )
})

describe("the page's table", () => {
  it.live("follows a session from its creation to its close, with the server's counts", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("one")
      const foreign = yield* troupe.mint("two")
      const send = browser()
      const api = createApi(`${troupe.base}/inspect/api/`, send)
      yield* Effect.promise(() => api.login({ token }))

      const table = new Table()
      const seen: Array<string> = []
      let isLive = false
      const following = follow({
        url: api.stepsUrl(),
        send,
        onPhase: ({ name }) => {
          isLive = name === "live"
        },
        onEvent: ({ data, event }) => {
          if (event !== "step") return
          const step = JSON.parse(data) as SlimStep
          seen.push(step.to)
          table.steps([step], true, 1)
        }
      })
      yield* Effect.addFinalizer(() => Effect.sync(following.stop))
      yield* Effect.promise(async () => {
        await until(() => isLive)
        table.expect(noFilter)
        table.page(await api.sessions(noFilter, 100), true)
      })
      assert.deepStrictEqual(table.order.value, [])

      yield* troupe.create(foreign)
      const id = yield* troupe.create(token)
      yield* troupe.turn(token, id, "hello")
      yield* Effect.promise(async () => {
        const awake = await until(() => {
          const row = table.row(id)?.value.row
          return row?.substate === "idle.awake" && row
        })
        assert.deepInclude(awake, { turns: 1, app: "one", agent: "demo" })
        assert.strictEqual(awake.wait?.next?.timer, "hibernateAfter")
        assert.strictEqual((await api.act(id, "close")).ok, true)
        await until(() => table.row(id)?.value.row.state === "closed")
        assert.includeMembers(seen, ["turning.starting", "turning.running", "idle.awake", "retiring.asking", "closed"])

        const page = await api.sessions(noFilter, 100)
        assert.deepStrictEqual(
          table.order.value,
          page.sessions.map(({ session_id }) => session_id)
        )
        assert.deepStrictEqual([table.count.value, table.counts.value], [page.count, page.counts])
        assert.deepStrictEqual(table.row(id)?.value.row, page.sessions[0])
      })
    }).pipe(Effect.scoped)
  )

  it.live("removes an approval when it is answered from the page", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("one")
      const api = createApi(`${troupe.base}/inspect/api/`, browser())
      const id = yield* troupe.create(token, { permissions: "ask" })
      const turn = yield* Effect.forkScoped(troupe.turn(token, id, "ask execute"))
      yield* Effect.promise(async () => {
        await api.login({ token })
        let approvals = (await api.approvals()).approvals
        while (approvals.length === 0) approvals = (await api.approvals()).approvals
        const [approval] = approvals
        assert.deepInclude(approval, { session_id: id, kind: "execute", status: "pending", app: "one" })
        await api.answer(id, approval?.approval_id ?? "", { decision: "once" })
        assert.deepStrictEqual((await api.approvals()).approvals, [])
        assert.strictEqual(
          (await problem(api.answer(id, approval?.approval_id ?? "", { decision: "deny" }))).status,
          409
        )
      })
      assert.isTrue((yield* Fiber.join(turn)).completed)
    }).pipe(Effect.scoped)
  )
})
