/**
 * The demo agent's end of the wire: lines out, and its own requests with their answers.
 *
 * What is sent within one step of the event loop goes out in one write; who sends much awaits `settled`, so that a slow
 * reader slows the agent and not its memory.
 */

/** An answer that is an error, in JSON-RPC's terms. */
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

let waiting = ""

const flush = () => {
  const text = waiting
  waiting = ""
  if (text !== "") process.stdout.write(text)
}

/** Writes text as it is, behind everything that was sent before. */
export const put = (text: string): void => {
  if (waiting === "") process.nextTick(flush)
  waiting += text
}

export const send = (message: Readonly<Record<string, unknown>>): void =>
  put(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)

/** Resolves when the pipe has taken all that was sent. */
export const settled = (): Promise<void> =>
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

const asked = new Map<unknown, (reply: Reply) => void>()
let lastId = -1

/** A request of ours. A cancelled turn takes it back with `$/cancel_request`, as the real adapters do. */
export const ask = (method: string, params: unknown, signal: AbortSignal): Promise<Reply> => {
  // From 0, as real agents number: a client that tests an id for truth finds out here.
  const id = (lastId += 1)
  return new Promise<Reply>((resolve, reject) => {
    const takenBack = () => {
      asked.delete(id)
      send({ method: "$/cancel_request", params: { requestId: id } })
      reject(signal.reason)
    }
    if (signal.aborted) return reject(signal.reason)
    signal.addEventListener("abort", takenBack, { once: true })
    asked.set(id, (reply) => {
      signal.removeEventListener("abort", takenBack)
      resolve(reply)
    })
    send({ id, method, params })
  })
}

/** A reply to a request of ours; one that nobody waits for is ignored. */
export const answered = (id: unknown, reply: Reply): void => {
  const settle = asked.get(id)
  asked.delete(id)
  settle?.(reply)
}
