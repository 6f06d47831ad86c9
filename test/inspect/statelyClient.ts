/** A client of `/inspect/stately`: its ticket, and a WebSocket connection that reports how it was opened and closed. */
import { Effect } from "effect"
import { WebSocket } from "ws"
import type { RunningTroupe } from "./harness.ts"

export const ticketOf = (troupe: RunningTroupe, token: string) =>
  Effect.map(troupe.call("/inspect/api/ticket", { token, body: {} }), ({ json }): string => json.url)

/** A program, which can send headers. Resolves with the close code and reason, or with the status of a refusal. */
export const connect = (
  troupe: RunningTroupe,
  path: string,
  headers: Readonly<Record<string, string>>,
  options: { readonly autoPong?: boolean } = {}
) => {
  const socket = new WebSocket(troupe.base.replace("http", "ws") + path, { headers, ...options })
  socket.on("error", () => {})
  const opened = new Promise<number>((resolve) => {
    socket.on("open", () => resolve(101))
    socket.on("unexpected-response", (_, response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
  })
  const closed = new Promise<{ readonly code: number; readonly reason: string }>((resolve) => {
    socket.on("close", (code: number, reason: Buffer) => resolve({ code, reason: reason.toString() }))
  })
  return { socket, opened, closed }
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
