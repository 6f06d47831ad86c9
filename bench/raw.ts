/**
 * The reference: the same agents over bare pipes, and a bare HTTP server that relays their lines.
 *
 * Nothing is stored, checked, merged or supervised: this is the cost of the machine and of Node without Troupe.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:http"
import type { ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { block } from "./sample.ts"
import { serveCalls } from "./worker.ts"

/** Settled by the reply to the request that is in flight: there is one at a time. */
type Settle = (reply: string) => void

class Pipe {
  readonly #child = spawn(process.execPath, [new URL("null-agent.ts", import.meta.url).pathname], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  #rest = ""
  #requests = 0
  #settle: Settle | null = null
  /** Gets every line that is no reply. */
  onLine: (line: string) => void = () => {}

  constructor() {
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => this.#onData(text))
  }

  request(method: string, params: object): Promise<string> {
    return new Promise((resolve) => {
      this.#settle = resolve
      this.#child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: this.#requests++, method, params })}\n`)
    })
  }

  prompt(text: string): Promise<string> {
    return this.request("session/prompt", { sessionId: "null", prompt: [{ type: "text", text }] })
  }

  async close(): Promise<void> {
    const exited = once(this.#child, "exit")
    this.#child.stdin.end()
    await exited
  }

  #onData(text: string): void {
    const lines = (this.#rest + text).split("\n")
    this.#rest = lines.pop() ?? ""
    for (const line of lines) {
      if (line.startsWith('{"jsonrpc":"2.0","id":')) this.#settle?.(line)
      else this.onLine(line)
    }
  }
}

const pipes: Array<Pipe> = []
const readers = new Set<ServerResponse>()

const relay = createServer((request, response) => {
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": relay\n\n")
    readers.add(response)
    response.on("close", () => readers.delete(response))
    return
  }
  let body = ""
  request.setEncoding("utf8").on("data", (text: string) => (body += text))
  request.on("end", async () => {
    const { prompt } = JSON.parse(body) as { readonly prompt: string }
    const pipe = pipes[Number(request.url?.split("/")[2])]!
    let id = 0
    pipe.onLine = (line) => {
      for (const reader of readers) reader.write(`id: ${++id}\nevent: message\ndata: ${line}\n\n`)
    }
    const reply = await pipe.prompt(prompt)
    pipe.onLine(reply)
    pipe.onLine = () => {}
    response.writeHead(200, { "content-type": "application/json" }).end(reply)
  })
})

const calls = {
  open: async ({ agents }: { readonly agents: number }) => {
    while (pipes.length < agents) {
      const pipe = new Pipe()
      await pipe.request("initialize", { protocolVersion: 1, clientCapabilities: {} })
      await pipe.request("session/new", { cwd: process.cwd(), mcpServers: [] })
      pipes.push(pipe)
    }
  },
  turns: ({ agents, each }: { readonly agents: number; readonly each: number }) =>
    block(pipes.slice(0, agents), each, (pipe) => pipe.prompt("hello")),
  listen: async () => {
    relay.listen(0, "127.0.0.1")
    await once(relay, "listening")
    return { url: `http://127.0.0.1:${(relay.address() as AddressInfo).port}` }
  }
} as const

export type RawCalls = typeof calls

serveCalls(calls, async () => {
  relay.close()
  relay.closeAllConnections()
  await Promise.all(pipes.map((pipe) => pipe.close()))
})
