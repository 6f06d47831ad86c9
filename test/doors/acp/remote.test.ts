/** `/acp` by the official client's own transports: what it gives an app, keeps from others, and leaves when it ends. */
import { assert, it } from "@effect/vitest"
import { methods } from "@agentclientprotocol/sdk"
import type { Stream } from "@agentclientprotocol/sdk"
import { createHttpStream } from "@agentclientprotocol/sdk/experimental/http-client"
import { createWebSocketStream } from "@agentclientprotocol/sdk/experimental/ws-client"
import { Effect } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { WebSocket } from "ws"
import { mostSessions } from "../../../src/doors/acp/agent.ts"
import { Idle } from "../../../src/doors/acp/Connections.ts"
import { openTroupe } from "../../../src/promise.ts"
import { open } from "../../inspect/harness.ts"
import type { RunningTroupe } from "../../inspect/harness.ts"
import { connect, until } from "./client.ts"
import type { AcpClient, Script } from "./client.ts"

const streams: Readonly<Record<string, (base: string, token: string) => Stream>> = {
  "Streamable HTTP": (base, token) =>
    createHttpStream(`${base}/acp`, { headers: { authorization: `Bearer ${token}` } }) as Stream,
  "a WebSocket": (base, token) =>
    createWebSocketStream(`${base.replace("http", "ws")}/acp`, {
      headers: { authorization: `Bearer ${token}` },
      WebSocket: WebSocket as never
    }) as Stream
}

const workDirectory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "troupe-acp-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true, maxRetries: 5 }))
)

/** A promise's script against a whole Troupe. */
const withTroupe = (
  script: (troupe: RunningTroupe, cwd: string, mint: (name: string) => Promise<string>) => Promise<void>
) =>
  Effect.gen(function* () {
    const troupe = yield* open()
    const cwd = yield* workDirectory
    yield* Effect.promise(() => script(troupe, cwd, (name) => Effect.runPromise(troupe.mint(name))))
  }).pipe(Effect.scoped)

const refusal = async (promise: Promise<unknown>): Promise<{ readonly code: number; readonly message: string }> =>
  promise.then(
    () => assert.fail("it should have been refused"),
    (error: { readonly code: number; readonly message: string }) => error
  )

const newSession = async (client: AcpClient, cwd: string) =>
  (await client.request(methods.agent.session.new, { cwd, mcpServers: [] })).sessionId

for (const [name, streamTo] of Object.entries(streams)) {
  const clientOf = (base: string, token: string, script?: Script) => connect(streamTo(base, token), script)

  it.live(`over ${name}: turns, permissions, several clients in sync, and a replay`, () =>
    withTroupe(async ({ base }, cwd, mint) => {
      const token = await mint("desk")
      const one = await clientOf(base, token, { permission: () => "once" })
      const id = await newSession(one, cwd)
      assert.strictEqual((await one.prompt(id, "hello")).stopReason, "end_turn")
      assert.include(one.textOf(id), "hello")

      // A second client: it sees what was said, what is said now, and is asked, too.
      const two = await clientOf(base, token)
      await two.request(methods.agent.session.load, { sessionId: id, cwd, mcpServers: [] })
      const kinds = two.updates.map(({ update }) => update.sessionUpdate)
      assert.strictEqual(kinds[0], "user_message_chunk")
      assert.include(two.textOf(id), "hello")
      assert.strictEqual((await one.prompt(id, "ask edit")).stopReason, "end_turn")
      assert.strictEqual(one.asked.length, 1)
      await until(() => two.takenBack.length === two.asked.length && two.textOf(id) === one.textOf(id))

      // What the one misses while it is away, it gets behind its cursor.
      const last = one.updates.at(-1)?._meta?.["troupe/seq"]
      one.connection.close()
      const both = await Promise.all([two.prompt(id, "first"), two.prompt(id, "second")])
      assert.deepStrictEqual(
        both.map(({ stopReason }) => stopReason),
        ["end_turn", "end_turn"]
      )
      const again = await clientOf(base, token)
      await again.request(methods.agent.session.resume, { sessionId: id, cwd, _meta: { "troupe/after": last } })
      assert.notInclude(again.textOf(id), "hello")
      assert.include(again.textOf(id), "first")
      assert.include(again.textOf(id), "second")
      // One that was not opened is opened by what comes for it, once.
      const direct = await clientOf(base, token)
      await Promise.all([direct.prompt(id, "third"), direct.prompt(id, "fourth")])
      assert.notInclude(direct.textOf(id), "first")
      for (const said of ["third", "fourth"]) {
        assert.strictEqual(direct.textOf(id).split(said).length, 2, direct.textOf(id))
      }
      const { sessions } = await again.request(methods.agent.session.list, { cwd })
      assert.deepStrictEqual(
        sessions.map(({ sessionId }) => sessionId),
        [id]
      )
      await again.request(methods.agent.session.delete, { sessionId: id })
      assert.deepStrictEqual((await again.request(methods.agent.session.list, {})).sessions, [])
    })
  )

  it.live(`over ${name}: another app's sessions are not there, and a revoked token ends the connection`, () =>
    withTroupe(async ({ apps, base }, cwd, mint) => {
      const ours = await clientOf(base, await mint("ours"))
      const id = await newSession(ours, cwd)
      const theirs = await clientOf(base, await mint("theirs"))
      for (const request of [
        () => theirs.request(methods.agent.session.load, { sessionId: id, cwd, mcpServers: [] }),
        () => theirs.request(methods.agent.session.resume, { sessionId: id, cwd }),
        () => theirs.prompt(id, "hello"),
        () => theirs.request(methods.agent.session.setConfigOption, { sessionId: id, configId: "model", value: "x" })
      ]) {
        assert.strictEqual((await refusal(request())).code, -32002)
      }
      assert.deepStrictEqual((await theirs.request(methods.agent.session.list, {})).sessions, [])
      const running = ours.prompt(id, "slow 400 50")
      await ours.said(id, " ")
      await Effect.runPromise(apps.revoke("ours"))
      await refusal(running)
    })
  )
}

it.live("a session that is opened again while it is opened or prompted is told once, and no prompt is left open", () =>
  withTroupe(async ({ base }, cwd, mint) => {
    const client = await connect(streams["a WebSocket"]!(base, await mint("desk")))
    const id = await newSession(client, cwd)
    const load = () => client.request(methods.agent.session.load, { sessionId: id, cwd, mcpServers: [] })
    await Promise.all([load(), load(), load()])
    assert.strictEqual((await client.prompt(id, "hello")).stopReason, "end_turn")
    await client.prompt(id, "marker")
    assert.strictEqual(client.textOf(id).split("hello").length, 2, client.textOf(id))
    const prompted = refusal(client.prompt(id, "slow 3 50"))
    await load()
    assert.match((await prompted).message, /session\/load shows it/)
    await client.said(id, "marker")
  })
)

it.live("sessions that were closed elsewhere are none that a connection has open", () =>
  withTroupe(async ({ base }, cwd, mint) => {
    const token = await mint("desk")
    const [one, other] = [
      await connect(streams["a WebSocket"]!(base, token)),
      await connect(streams["a WebSocket"]!(base, token))
    ]
    const ids = await Promise.all(Array.from({ length: mostSessions }, () => newSession(one, cwd)))
    assert.match((await refusal(newSession(one, cwd))).message, /sessions open/)
    for (const sessionId of ids) await other.request(methods.agent.session.delete, { sessionId })
    await until(() =>
      newSession(one, cwd).then(
        () => true,
        () => false
      )
    )
  })
)

it.live("a connection is reached by its own caller alone, and a bad request says what is wrong", () =>
  withTroupe(async ({ ask }, _cwd, mint) => {
    const [ours, theirs] = [await mint("ours"), await mint("theirs")]
    const post = (token: string | null, body: unknown, headers: Record<string, string> = {}) =>
      Effect.runPromise(ask("/acp", { token, body, headers }))
    const initialize = { jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: 1 } }
    const opened = await post(ours, initialize)
    const connection = opened.headers.get("acp-connection-id") ?? ""
    assert.match(connection, /^[0-9a-f-]{36}$/)
    const list = { jsonrpc: "2.0", id: 2, method: "session/list", params: {} }
    assert.strictEqual((await post(theirs, list, { "acp-connection-id": connection })).status, 404)
    assert.strictEqual((await post(null, list, { "acp-connection-id": connection })).status, 401)
    assert.strictEqual((await post(ours, list, { "acp-connection-id": connection })).status, 202)
    assert.strictEqual((await post(ours, list)).status, 400)
    assert.strictEqual((await post(ours, "[1,2]")).status, 400)
    assert.strictEqual((await post(ours, "{")).status, 400)
    assert.strictEqual(
      (await Effect.runPromise(ask("/acp?permissions=all", { token: ours, body: initialize }))).status,
      400
    )
    assert.strictEqual((await post(ours, "x".repeat(1_100_000))).status, 413)
  })
)

it.live("one app has so many connections and no more, also of those that it asks for together", () =>
  withTroupe(async ({ ask }, _cwd, mint) => {
    const token = await mint("desk")
    const initialize = { jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: 1 } }
    const asked = await Promise.all(
      Array.from({ length: 100 }, () => Effect.runPromise(ask("/acp", { token, body: initialize })))
    )
    const opened = asked.filter(({ status }) => status === 200)
    assert.strictEqual(opened.length, 64)
    const refused = await Effect.runPromise(ask("/acp", { token, body: initialize }))
    assert.strictEqual(refused.status, 503)
    assert.strictEqual(((await refused.json()) as { readonly error: string }).error, "too_many_connections")
    const headers = { "acp-connection-id": opened[0]!.headers.get("acp-connection-id")! }
    assert.strictEqual((await Effect.runPromise(ask("/acp", { token, method: "DELETE", headers }))).status, 202)
    assert.strictEqual((await Effect.runPromise(ask("/acp", { token, body: initialize }))).status, 200)
  })
)

it.live(
  "a handler in somebody else's server is an agent to its clients, for the app that this server vouches for",
  () =>
    Effect.gen(function* () {
      const cwd = yield* workDirectory
      yield* Effect.promise(async () => {
        await using troupe = await openTroupe({ dataDir: ":memory:" })
        const handle = troupe.handler({ app: "mine", prefix: "/agents" })
        const fetch: typeof globalThis.fetch = (input, init) => handle(new Request(input, init))
        const client = await connect(createHttpStream("http://127.0.0.1/agents/acp", { fetch }) as Stream)
        const id = await newSession(client, cwd)
        assert.strictEqual((await client.prompt(id, "hello")).stopReason, "end_turn")
        assert.include(client.textOf(id), "hello")
        assert.strictEqual((await troupe.as("mine").session(id)).id, id)
        client.connection.close()
      })
    }).pipe(Effect.scoped)
)

it.live("an HTTP connection that nobody uses is ended, and one that is read is not", () =>
  withTroupe(async ({ ask, base }, cwd, mint) => {
    const token = await mint("desk")
    const reader = await connect(streams["Streamable HTTP"]!(base, token))
    const id = await newSession(reader, cwd)
    const initialize = { jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: 1 } }
    const opened = await Effect.runPromise(ask("/acp", { token, body: initialize }))
    const headers = { "acp-connection-id": opened.headers.get("acp-connection-id")! }
    const list = { jsonrpc: "2.0", id: 2, method: "session/list", params: {} }
    // The other one is sent the words of a turn meanwhile.
    const running = reader.prompt(id, "slow 100 50")
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    assert.strictEqual((await Effect.runPromise(ask("/acp", { token, body: list, headers }))).status, 404)
    assert.strictEqual((await running).stopReason, "end_turn")
  }).pipe(Effect.provideService(Idle, { millis: 2_000, lookEvery: "100 millis" }))
)
