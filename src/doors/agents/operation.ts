/** What an operation of the SDK is here: its address, and what answers it. */
import type { Backend } from "../../backend/Backend.ts"
import { Refused } from "../responses/errors.ts"

export interface Call {
  readonly backend: Backend
  /** Of the path, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Parsed; `undefined`: there is none. */
  readonly body: () => Promise<unknown>
  /** Its `Idempotency-Key`. */
  readonly key: string | undefined
  /** Its `Last-Event-ID`. */
  readonly lastEventId: string | null
  /** What is known of the stream that answers it, where one does. */
  readonly told: Told
}

/** Of a stream: which session's it is, and the id of the last event that its reader was sent. */
export interface Told {
  session: string
  event: string
}

export interface Operation {
  readonly method: "GET" | "POST" | "DELETE"
  readonly path: `/v1/${string}`
  readonly answer: (call: Call) => Promise<Response>
  /** Why there is no counterpart; absent: there is one. */
  readonly reason?: string
}

/** A method of the SDK that calls others, and has no address of its own. */
export const helper = "helper"

export const at = (method: Operation["method"], path: Operation["path"], answer: Operation["answer"]): Operation => ({
  method,
  path,
  answer
})

/** What Troupe has no counterpart for: 422, with what to do instead. */
export const without =
  (reason: string) =>
  (method: Operation["method"], path: Operation["path"]): Operation => ({
    ...at(method, path, () => Promise.reject(new Refused(422, "unsupported_operation", reason))),
    reason
  })
