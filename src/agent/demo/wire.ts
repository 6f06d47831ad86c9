/**
 * Writes the demo agent's messages, and matches replies to its own requests.
 *
 * Messages that are sent within one step of the event loop become one write. Code that sends much awaits `flushed`, so
 * that a slow reader slows the agent instead of filling its memory.
 */

/** An error reply of JSON-RPC. */
export class Fault extends Error {
  readonly code: number
  readonly data: unknown

  constructor(code: number, message: string, data?: unknown) {
    super(message)
    this.code = code
    this.data = data
  }
}

/** JSON-RPC 2.0, section 5.1; `authRequired` and `notFound` are ACP's. */
export const codes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  authRequired: -32000,
  notFound: -32002
} as const

let unwritten = ""

const flush = () => {
  const text = unwritten
  unwritten = ""
  if (text !== "") process.stdout.write(text)
}

/** Writes text unchanged, behind everything that was sent before. */
export const put = (text: string): void => {
  if (unwritten === "") process.nextTick(flush)
  unwritten += text
}

export const send = (message: Readonly<Record<string, unknown>>): void =>
  put(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)

/** Resolves when the pipe has taken all that was sent. */
export const flushed = (): Promise<void> =>
  new Promise((resolve) => {
    flush()
    process.stdout.write("", () => resolve())
  })

export const update = (sessionId: string, update: Readonly<Record<string, unknown>>): void =>
  send({ method: "session/update", params: { sessionId, update } })

/** An update's text content. */
export const text = (text: string) => ({ type: "text", text }) as const

export interface Reply {
  readonly result?: unknown
  readonly error?: unknown
}

const pendingRequests = new Map<unknown, (reply: Reply) => void>()
let lastId = -1

/** Sends a request. A cancelled turn withdraws it with `$/cancel_request`, as the real adapters do. */
export const ask = (method: string, params: unknown, signal: AbortSignal): Promise<Reply> => {
  // Ids begin with 0, as those of real agents, so that a client which tests an id for truth fails.
  const id = (lastId += 1)
  return new Promise<Reply>((resolve, reject) => {
    const withdraw = () => {
      pendingRequests.delete(id)
      send({ method: "$/cancel_request", params: { requestId: id } })
      reject(signal.reason)
    }
    if (signal.aborted) return reject(signal.reason)
    signal.addEventListener("abort", withdraw, { once: true })
    pendingRequests.set(id, (reply) => {
      signal.removeEventListener("abort", withdraw)
      resolve(reply)
    })
    send({ id, method, params })
  })
}

/** Settles the request that a reply belongs to. Any other reply is ignored. */
export const onReply = (id: unknown, reply: Reply): void => {
  const settle = pendingRequests.get(id)
  pendingRequests.delete(id)
  settle?.(reply)
}
