/** The client's live stream against a real server: what it parses, where it continues, and when it gives up. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { follow, retryDelayMillis } from "../../../src/inspect/client/live.ts"
import type { Following, Phase } from "../../../src/inspect/client/live.ts"
import { sseParser } from "../../../src/inspect/client/sse.ts"
import type { ServerEvent } from "../../../src/inspect/client/sse.ts"

const parsed = (pieces: ReadonlyArray<string>) => {
  const events: Array<ServerEvent> = []
  const push = sseParser((event) => events.push(event))
  for (const piece of pieces) push(piece)
  return events
}

describe("parsing server-sent events", () => {
  it("gives the same events however the text is cut", () => {
    const text = ': hello\r\nid: 7\nevent: step\ndata: {"a":\ndata: 1}\n\ndata:plain\r\n\r\n'
    const whole = [
      { id: "7", event: "step", data: '{"a":\n1}' },
      { id: "7", event: "message", data: "plain" }
    ]
    for (let size = 1; size <= text.length; size++)
      assert.deepStrictEqual(parsed(text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? []), whole)
  })

  it("gives no event before its empty line, and none without data", () => {
    assert.deepStrictEqual(parsed(["data: 1\n", "event: x\n"]), [])
    assert.deepStrictEqual(parsed([": 15 s\n\n", "event: x\n\n"]), [])
  })

  it("fails on an event that would fill the memory", () => {
    const push = sseParser(() => {})
    const piece = `data: ${"x".repeat(1024 * 1024)}\n`
    assert.throws(() => {
      for (let n = 0; n < 20; n++) push(piece)
    }, /too long/)
  })
})

describe("retryDelayMillis", () => {
  it("doubles, stays under 19 s, and differs from page to page", () => {
    assert.deepStrictEqual(
      [0, 1, 2, 3, 20].map((failures) => retryDelayMillis(failures, 0.5)),
      [500, 1000, 2000, 4000, 15_000]
    )
    assert.isBelow(retryDelayMillis(3, 0), retryDelayMillis(3, 1))
  })
})

const open: { server?: Server; following?: Following } = {}

afterEach(() => {
  open.following?.stop()
  open.server?.closeAllConnections()
  open.server?.close()
})

/** Answers the n-th request, from 1, and records the last event ids. */
const serve = async (answer: (n: number, request: IncomingMessage, response: ServerResponse) => void) => {
  const lastEventIds: Array<string | undefined> = []
  const server = createServer((request, response) => {
    lastEventIds.push(request.headers["last-event-id"] as string | undefined)
    answer(lastEventIds.length, request, response)
  })
  open.server = server
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked: lastEventIds }
}

const stream = (response: ServerResponse, text: string) => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.write(text)
}

/** Follows until `until` holds for what it received. */
const followUntil = (
  url: string,
  until: (phases: ReadonlyArray<Phase>, events: ReadonlyArray<ServerEvent>) => boolean
) =>
  new Promise<{ phases: ReadonlyArray<Phase>; events: ReadonlyArray<ServerEvent> }>((done) => {
    const phases: Array<Phase> = []
    const events: Array<ServerEvent> = []
    const look = () => until(phases, events) && done({ phases, events })
    open.following = follow({
      url,
      onPhase: (phase) => {
        phases.push(phase)
        look()
      },
      onEvent: (event) => {
        events.push(event)
        look()
      }
    })
  })

const names = (phases: ReadonlyArray<Phase>) => phases.map(({ name }) => name)

describe("follow", () => {
  it("reconnects after a lost connection with the last id that it received", async () => {
    const { asked: lastEventIds, url } = await serve((n, _, response) => {
      stream(response, `event: live\ndata: {}\n\nid: b:${n}\nevent: step\ndata: ${n}\n\n`)
      if (n === 1) response.end()
    })
    const { events, phases } = await followUntil(url, (_, events) => events.length === 4)
    assert.deepStrictEqual(lastEventIds, [undefined, "b:1"])
    const once = ["connecting", "catching-up", "live"]
    assert.deepStrictEqual(names(phases), [...once, "lost", ...once])
    assert.deepStrictEqual(
      events.filter(({ event }) => event === "step").map(({ data }) => data),
      ["1", "2"]
    )
  })

  it("gives up where it is refused, with the problem of the server", async () => {
    const { asked: lastEventIds, url } = await serve((_, __, response) => {
      response.writeHead(401, { "content-type": "application/problem+json" })
      response.end(JSON.stringify({ ok: false, error: "unauthorized", title: "Unauthorized", detail: "Log in." }))
    })
    const { phases } = await followUntil(url, (phases) => phases.at(-1)?.name === "refused")
    const last = phases.at(-1)
    assert.strictEqual(last?.name === "refused" ? last.problem.detail : "", "Log in.")
    assert.strictEqual(lastEventIds.length, 1)
  })

  it("gives up where the stream itself reports that access ended", async () => {
    const { asked: lastEventIds, url } = await serve((_, __, response) => {
      stream(response, 'event: error\ndata: {"error":"unauthorized","status":401,"title":"x","detail":"Revoked."}\n\n')
    })
    const { phases } = await followUntil(url, (phases) => phases.at(-1)?.name === "refused")
    assert.deepStrictEqual(names(phases), ["connecting", "catching-up", "refused"])
    assert.strictEqual(lastEventIds.length, 1)
  })

  it("reconnects after a failure of the server", async () => {
    const { url } = await serve((n, _, response) => {
      if (n === 1) response.writeHead(503).end("busy")
      else stream(response, "event: live\ndata: {}\n\n")
    })
    const { phases } = await followUntil(url, (phases) => phases.at(-1)?.name === "live")
    assert.deepStrictEqual(names(phases), ["connecting", "lost", "connecting", "catching-up", "live"])
  })

  it("disconnects while it rests, and continues at its position", async () => {
    let closed = () => {}
    const gone = new Promise<void>((done) => {
      closed = done
    })
    const { asked: lastEventIds, url } = await serve((n, _, response) => {
      if (n === 1) response.on("close", closed)
      stream(response, `id: b:${n}\nevent: live\ndata: {}\n\n`)
    })
    await followUntil(url, (phases) => phases.at(-1)?.name === "live")
    open.following?.rest()
    await gone
    assert.strictEqual(lastEventIds.length, 1)
    open.following?.resume()
    while (lastEventIds.length < 2) await new Promise((done) => setTimeout(done, 5))
    assert.deepStrictEqual(lastEventIds, [undefined, "b:1"])
  })
})
