/** What a collector gets of the real program by OTLP over HTTP, and what an agent is told of its trace. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { createServer } from "node:http"
import type { Server as HttpServer } from "node:http"
import type { AddressInfo } from "node:net"
import { makeWorkspace } from "./program.ts"
import type { Workspace } from "./program.ts"
import { openServer, sessionOf } from "./server.ts"
import * as Protobuf from "./otlpProtobuf.ts"
import type { Server } from "./server.ts"

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}
interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly attributes: ReadonlyArray<Attribute>
  readonly status: { readonly code: number }
}

/** A collector that keeps what it gets. */
class Collector {
  readonly bodies: Array<{
    readonly path: string
    readonly type: string
    readonly bytes: Buffer
    readonly text: string
  }> = []
  readonly #listeners = new Set<() => void>()
  readonly #server: HttpServer = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const bytes = Buffer.concat(chunks)
      const type = request.headers["content-type"] ?? ""
      this.bodies.push({ path: request.url ?? "", type, bytes, text: bytes.toString() })
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
      for (const listener of this.#listeners) listener()
    })
  })

  async open(): Promise<string> {
    this.#server.listen(0, "127.0.0.1")
    await once(this.#server, "listening")
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, "close")
  }

  spans(): ReadonlyArray<Span> {
    return this.bodies
      .filter(({ path }) => path === "/v1/traces")
      .flatMap(({ text }) => {
        const { resourceSpans } = JSON.parse(text) as {
          readonly resourceSpans: ReadonlyArray<{
            readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<Span> }>
          }>
        }
        return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
      })
  }

  bytesOf(path: string): ReadonlyArray<Buffer> {
    return this.bodies.flatMap((body) => (body.path === path ? [body.bytes] : []))
  }

  textOf(path: string): string {
    return this.bodies.flatMap((body) => (body.path === path ? [body.text] : [])).join("\n")
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (holds()) resolve()
      }
      this.#listeners.add(look)
      look()
    })
  }
}

let workspace: Workspace
let collector: Collector
beforeEach(() => {
  workspace = makeWorkspace()
  collector = new Collector()
})
afterEach(async () => {
  await workspace.cleanUp()
  await collector.close()
})

const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
const caller = "00f067aa0ba902b7"

const turn = async ({ token, url }: Server, session: string, prompt: string) => {
  const response = await fetch(`${url}/sessions/${session}/turn`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      traceparent: `00-${trace}-${caller}-01`,
      "x-request-id": "req-traced"
    },
    body: JSON.stringify({ prompt })
  })
  return (await response.json()) as Readonly<Record<string, unknown>>
}

const attributesOf = ({ attributes }: Span) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

describe("telemetry of troupe serve", () => {
  it("sends each turn as a span of its request's trace, with its log lines and metrics, and tells the agent", async () => {
    const server = await openServer(workspace, {
      OTEL_EXPORTER_OTLP_ENDPOINT: await collector.open(),
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "100",
      OTEL_BLRP_SCHEDULE_DELAY: "100",
      OTEL_METRIC_EXPORT_INTERVAL: "200"
    })
    const session = await sessionOf(server)
    const { final_text: told } = await turn(server, session, "trace")
    await turn(server, session, "fail model")
    const turns = () => collector.spans().filter(({ name }) => name === "invoke_agent demo")
    await collector.until(() => turns().length >= 2)
    const [first, second] = turns()
    assert.strictEqual(first?.traceId, trace)
    assert.match(String(told), new RegExp(`^00-${trace}-${first?.spanId}-01$`, "m"))
    // Its parent is the request's span, whose own parent is the caller's.
    const byId = new Map(collector.spans().map((span) => [span.spanId, span]))
    const above: Array<string> = []
    for (let span = first; span !== undefined; span = byId.get(span.parentSpanId ?? "")) {
      above.push(span.parentSpanId ?? "")
    }
    assert.include(above, caller)
    assert.deepInclude(attributesOf(first!), {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": "demo",
      "gen_ai.conversation.id": session,
      "troupe.request_id": "req-traced",
      "troupe.outcome": "completed"
    })
    assert.property(attributesOf(first!), "gen_ai.usage.input_tokens")
    assert.deepInclude(attributesOf(second!), { "error.type": "model", "troupe.outcome": "failed" })
    assert.strictEqual(second?.status.code, 2)
    await collector.until(() => collector.textOf("/v1/logs").includes("turn completed"))
    assert.include(collector.textOf("/v1/logs"), "req-traced")
    await collector.until(() => collector.textOf("/v1/metrics").includes("troupe_turns_total"))
    const all = collector.bodies.map(({ text }) => text).join("\n")
    assert.notInclude(all, server.token)
    assert.notInclude(all, "fail model")
    // The log goes where it went.
    assert.include(server.program.stderr(), "turn completed")
  })

  it("sends all three as protobuf, unless it is told to send JSON", async () => {
    const server = await openServer(workspace, {
      OTEL_EXPORTER_OTLP_ENDPOINT: await collector.open(),
      OTEL_SERVICE_NAME: "troupe-of-a-test",
      OTEL_BSP_SCHEDULE_DELAY: "100",
      OTEL_BLRP_SCHEDULE_DELAY: "100",
      OTEL_METRIC_EXPORT_INTERVAL: "200"
    })
    const session = await sessionOf(server)
    const { final_text: told } = await turn(server, session, "trace")
    const spans = () => collector.bytesOf("/v1/traces").flatMap(Protobuf.spansIn)
    await collector.until(() => spans().some(({ name }) => name === "invoke_agent demo"))
    const span = spans().find(({ name }) => name === "invoke_agent demo")
    assert.strictEqual(told, `00-${trace}-${span?.spanId}-01`)
    assert.deepInclude(span, { service: "troupe-of-a-test", traceId: trace })
    assert.deepInclude(span?.attributes, { "gen_ai.conversation.id": session, "troupe.outcome": "completed" })
    await collector.until(() => collector.bytesOf("/v1/logs").flatMap(Protobuf.logsIn).includes("turn completed"))
    await collector.until(() =>
      collector.bytesOf("/v1/metrics").flatMap(Protobuf.metricsIn).includes("troupe_turns_total")
    )
    for (const { type } of collector.bodies) assert.strictEqual(type, "application/x-protobuf")
  })

  it("sends nothing where no collector is named, and gives the agent the caller's trace", async () => {
    const endpoint = await collector.open()
    const server = await openServer(workspace)
    const { final_text: told } = await turn(server, await sessionOf(server), "trace")
    assert.strictEqual(told, `00-${trace}-${caller}-01`)
    assert.lengthOf(collector.bodies, 0)
    const wrong = await workspace.run(["serve"], {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc"
    })
    assert.deepStrictEqual([wrong.code, wrong.stdout], [2, ""])
    assert.match(wrong.stderr, /^troupe: OTEL_EXPORTER_OTLP_PROTOCOL takes http\/protobuf or http\/json\..*\n$/)
    const unread = await workspace.run(["serve"], {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_BSP_SCHEDULE_DELAY: "soon"
    })
    assert.strictEqual(unread.code, 2, unread.stderr)
    assert.match(unread.stderr, /^troupe: A variable of OpenTelemetry .*\n$/)
  })
})
