/** What the page asks with and what its table makes of the news, against a whole Troupe: the two sides of one contract. */
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

/** A browser's part: keeps the cookie that it is given. */
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

const problem = async (asked: Promise<unknown>) => {
  const cause = await asked.then(
    () => undefined,
    (cause: unknown) => cause
  )
  assert.instanceOf(cause, Refused)
  return (cause as Refused).problem
}

/** Looks again until it holds; a test that never does ends at its own deadline. */
const until = async <A>(look: () => A | undefined | false): Promise<A> => {
  for (;;) {
    const found = look()
    if (found !== undefined && found !== false) return found
    await new Promise((done) => setTimeout(done, 10))
  }
}

describe("the page's requests", () => {
  it.live("log in, ask who it is, and are refused with the problem as the server says it", () =>
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

  it.live("end where no server is, or something else than Troupe answers", () =>
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
  it.live("follows a session from its creation to its close, and counts as the server counts", () =>
    Effect.gen(function* () {
      const house = yield* open()
      const token = yield* house.mint("one")
      const foreign = yield* house.mint("two")
      const send = browser()
      const api = createApi(`${house.base}/inspect/api/`, send)
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

      yield* house.create(foreign)
      const id = yield* house.create(token)
      yield* house.turn(token, id, "hello")
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

        const told = await api.sessions(noFilter, 100)
        assert.deepStrictEqual(
          table.order.value,
          told.sessions.map(({ session_id }) => session_id)
        )
        assert.deepStrictEqual([table.count.value, table.counts.value], [told.count, told.counts])
        assert.deepStrictEqual(table.row(id)?.value.row, told.sessions[0])
      })
    }).pipe(Effect.scoped)
  )

  it.live("loses a question when it is answered from the page", () =>
    Effect.gen(function* () {
      const house = yield* open()
      const token = yield* house.mint("one")
      const api = createApi(`${house.base}/inspect/api/`, browser())
      const id = yield* house.create(token, { permissions: "ask" })
      const turn = yield* Effect.forkScoped(house.turn(token, id, "ask execute"))
      yield* Effect.promise(async () => {
        await api.login({ token })
        let approvals = (await api.approvals()).approvals
        while (approvals.length === 0) approvals = (await api.approvals()).approvals
        const [approval] = approvals
        assert.deepInclude(approval, { session_id: id, kind: "execute", status: "pending", app: "one" })
        await api.answer(id, approval?.approval_id ?? "", "once")
        assert.deepStrictEqual((await api.approvals()).approvals, [])
        assert.strictEqual((await problem(api.answer(id, approval?.approval_id ?? "", "deny"))).status, 409)
      })
      assert.isTrue((yield* Fiber.join(turn)).completed)
    }).pipe(Effect.scoped)
  )
})
