/** A real receiver of webhooks: an HTTP server that keeps all that it gets. */
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

export interface Received {
  readonly id: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly json: { readonly type: string; readonly timestamp: string; readonly data: Readonly<Record<string, unknown>> }
  /** What it was answered. */
  readonly status: number
}

export interface Receiver {
  readonly url: string
  readonly received: ReadonlyArray<Received>
  /** Of further requests. */
  answer: number
  /** Resolves when the condition holds. */
  readonly until: (holds: (received: ReadonlyArray<Received>) => boolean) => Promise<void>
  readonly close: () => Promise<void>
}

export const openReceiver = async (port = 0): Promise<Receiver> => {
  const received: Array<Received> = []
  const listeners = new Set<() => void>()
  const server = createServer((request, response) => {
    let body = ""
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk))
    request.on("end", () => {
      const headers = request.headers as Readonly<Record<string, string>>
      const status = receiver.answer
      received.push({ id: headers["webhook-id"] ?? "", headers, body, json: JSON.parse(body), status })
      response.writeHead(status).end()
      for (const listener of listeners) listener()
    })
  })
  server.listen(port, "127.0.0.1")
  await once(server, "listening")
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    received,
    answer: 204,
    until: (holds) =>
      new Promise((resolve) => {
        const look = () => {
          if (holds(received)) resolve()
        }
        listeners.add(look)
        look()
      }),
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    }
  }
  return receiver
}
