/** What a window and the shared worker, which holds the browser's one connection, say to each other. */
import type { Phase } from "../../client/live.ts"
import type { ServerEvent } from "../../client/sse.ts"

/** Keys are the window's own, and are never used again. */
export type FromWindow =
  | { readonly type: "follow"; readonly key: number; readonly name: string; readonly after: string }
  | { readonly type: "stop"; readonly key: number }
  /** Events of so many characters are dealt with. */
  | { readonly type: "took"; readonly chars: number }
  | { readonly type: "retry" }
  /** It is there still; answered by the same. */
  | { readonly type: "here" }
  | { readonly type: "leave" }

export type FromWorker =
  | { readonly type: "phase"; readonly key: number; readonly phase: Phase }
  | {
      readonly type: "events"
      readonly key: number
      readonly events: ReadonlyArray<ServerEvent>
      readonly chars: number
    }
  /** Not followed any more, because the window takes nothing: it may follow again, after the last that it has. */
  | { readonly type: "dropped"; readonly key: number }
  /** Something came from the server. */
  | { readonly type: "heard" }
  | { readonly type: "here" }

export interface Port<Sent, Received> {
  readonly send: (message: Sent) => void
  readonly listen: (take: (message: Received) => void) => void
}

/** What a browser's port and Node's have in common. */
interface AnyPort {
  postMessage(message: unknown, transfer: []): void
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void
  start(): void
}

export const portOf = <Sent, Received>(port: AnyPort): Port<Sent, Received> => ({
  send: (message) => port.postMessage(message, []),
  listen: (take) => {
    port.addEventListener("message", ({ data }) => take(data as Received))
    port.start()
  }
})
