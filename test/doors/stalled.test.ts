/** Clients that take nothing of what they have asked for, by sockets that nobody reads: more than the kernel keeps for them. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { once } from "node:events"
import { connect } from "node:net"
import type { Socket } from "node:net"
import { WebSocket } from "ws"
import { Limits } from "../../src/doors/acp/Connections.ts"
import { eventId } from "../../src/doors/agents/ids.ts"
import { responseId } from "../../src/doors/responses/ids.ts"
import { StalledAfter } from "../../src/http/Streams.ts"
import { adminToken, open } from "../inspect/harness.ts"
import type { RunningTroupe } from "../inspect/harness.ts"
import { until } from "./acp/client.ts"

/** Of one turn: a socket that nobody reads has up to 10 MB in the kernel. A longer text would be cut. */
const loud = Array.from({ length: 100 }, () => "big 100").join("\n")

/** A request whose answer is never read. */
const unread = ({ base }: RunningTroupe, token: string, path: string, body?: unknown, headers = ""): Promise<Socket> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(base)
    const text = body === undefined ? "" : JSON.stringify(body)
    const socket = connect(Number(port), hostname, () => {
      socket.pause()
      socket.write(
        `${body === undefined ? "GET" : "POST"} ${path} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${token}\r\n${headers}content-type: application/json\r\naccept: application/json, text/event-stream\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
        () => resolve(socket)
      )
    })
    socket.on("error", () => {})
  })

const readers = async (troupe: RunningTroupe): Promise<number> => {
  const { text } = await Effect.runPromise(troupe.call("/metrics", { token: adminToken }))
  return Number(/^troupe_stream_readers (\d+)$/m.exec(text)?.[1] ?? -1)
}

/** All in one world: the turn that says so much is what takes long. */
it.live("who takes nothing of a run, a response or an ACP connection loses it, and the session goes on", () =>
  Effect.gen(function* () {
    const troupe = yield* open()
    const token = yield* troupe.mint("desk")
    const ask = (path: string, request: object) => Effect.runPromise(troupe.call(path, { token, ...request }))

    /** `last`: what the whole of it ends with. */
    const lost = async (last: string, path: string, body?: unknown) => {
      const socket = await unread(troupe, token, path, body)
      await until(async () => (await readers(troupe)) === 1, `a reader of ${path}`)
      await until(async () => (await readers(troupe)) === 0, `the end of the reader of ${path}`)
      const closed = once(socket, "close")
      let end = ""
      socket.on("data", (data) => {
        end = `${end}${data.toString("latin1")}`.slice(-65_536)
      })
      socket.resume()
      await closed
      assert.notInclude(end, last)
    }

    const acp = (body: unknown, connection?: string, session?: string) => {
      const headers = {
        ...(connection === undefined ? {} : { "acp-connection-id": connection }),
        ...(session === undefined ? {} : { "acp-session-id": session })
      }
      return Effect.runPromise(troupe.ask("/acp", { token, body, headers }))
    }
    const message = (id: number, method: string, params: object) => ({ jsonrpc: "2.0", id, method, params })
    const initialize = message(1, "initialize", { protocolVersion: 1 })
    /** The whole conversation, and again: what the kernel keeps is more than it once. */
    const loads = (sessionId: string) =>
      [2, 3, 4].map((id) => message(id, "session/load", { sessionId, cwd: "/tmp", mcpServers: [] }))

    yield* Effect.promise(async () => {
      const input = { threadId: "t", runId: "r", messages: [{ id: "u", role: "user", content: loud }] }
      await lost("RUN_FINISHED", "/ag-ui/demo", input)
      const { json } = await ask("/sessions", {})
      const id: string = json.sessions[0].session_id
      const turn = async () => (await ask(`/sessions/${id}/turns/1`, {})).json.status
      await until(async () => (await turn()) === "completed", "the end of the turn")
      await lost("response.completed", `/v1/responses/${responseId({ session: id, turn: 1 })}?stream=true`)
      const beginning = eventId(id, { turn: 0, seq: 0, nth: 0 })
      await lost("agent.session.turn.completed", `/v1/agents/sessions/${id}/events?after=${beginning}`)

      const opened = await acp(initialize)
      const connection = opened.headers.get("acp-connection-id")!
      const headers = `acp-connection-id: ${connection}\r\nacp-session-id: ${id}\r\n`
      const socket = await unread(troupe, token, "/acp", undefined, headers)
      for (const load of loads(id)) void acp(load, connection, id).catch(() => {})
      const list = message(5, "session/list", {})
      await until(async () => (await acp(list, connection)).status === 404, "the end of the connection")
      socket.destroy()

      const web = new WebSocket(`${troupe.base.replace("http", "ws")}/acp`, {
        headers: { authorization: `Bearer ${token}` }
      })
      await once(web, "open")
      const closed = once(web, "close")
      web.send(JSON.stringify(initialize))
      for (const load of loads(id)) web.send(JSON.stringify(load))
      web.pause()
      // What a socket has closed is seen by who reads it again.
      await new Promise((resolve) => setTimeout(resolve, 4_000))
      web.resume()
      await closed

      const { json: next } = await ask(`/sessions/${id}/turn`, { body: { prompt: "hello" } })
      assert.strictEqual(next.stop_reason, "end_turn")
    })
  }).pipe(
    Effect.scoped,
    Effect.provideService(StalledAfter, "2 seconds"),
    Effect.provideService(Limits, {
      maxBufferedBytes: 1024 * 1024,
      maxOutputStallMs: 1_000,
      maxBufferedSessionStreams: 64
    })
  )
)
