/**
 * Follows one of Troupe's streams until it is stopped: connects, reconnects with the last id that it received, waits longer
 * after each failure, and reports its phase at every moment.
 *
 * `fetch` and not `EventSource`, which reports neither why it was refused nor when it will try again.
 */
import { problemFrom, problemOf, Refused, silentFor, unreachable } from "./api.ts"
import type { Problem } from "./api.ts"
import { sseParser } from "./sse.ts"
import type { ServerEvent } from "./sse.ts"
import { parsed } from "./visible.ts"

export type Phase =
  | { readonly name: "connecting" }
  /** Connected; what was missed is being received. */
  | { readonly name: "catching-up" }
  | { readonly name: "live" }
  /** Reconnects at `retryAt`, in milliseconds of the reader's own clock. */
  | { readonly name: "lost"; readonly retryAt: number; readonly problem: Problem }
  /** The server refuses this reader: there is no further attempt. */
  | { readonly name: "refused"; readonly problem: Problem }
  /** Disconnected because nobody looks at it, as at a hidden page. */
  | { readonly name: "resting" }

export interface FollowOptions {
  /** Asked for at each attempt where it contains the positions; no last id is sent then. */
  readonly url: string | (() => string)
  readonly onEvent: (event: ServerEvent) => void
  readonly onPhase: (phase: Phase) => void
  /** Whenever anything came from the server, were it a sign of life only. */
  readonly onHeard?: () => void
  /** The SSE id after which to begin. */
  readonly after?: string
  readonly send?: typeof fetch
}

export interface Following {
  readonly stop: () => void
  /** Reconnects now, and not when the wait is over. */
  readonly retry: () => void
  /** Disconnects until `resume`: a server need not feed pages that nobody sees. */
  readonly rest: () => void
  readonly resume: () => void
}

/** The server writes a comment every 15 s: a connection that is silent for longer than this is lost. */
const silentMillis = 40_000

/** 0.5 s, doubled with each failure in a row, at most 15 s; randomized, so that many pages do not reconnect at once. */
export const retryDelayMillis = (failures: number, random: number): number =>
  Math.round(Math.min(15_000, 500 * 2 ** Math.min(failures, 10)) * (0.75 + random / 2))

/** Statuses that another attempt will not change. */
const isFinal = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429

export const follow = ({
  after = "",
  onEvent,
  onHeard = () => {},
  onPhase,
  send = fetch,
  url
}: FollowOptions): Following => {
  let lastId = after
  let failures = 0
  let connection: AbortController | undefined
  let retryTimer: ReturnType<typeof setTimeout> | undefined
  let isResting = false
  let isStopped = false

  const read = async (signal: AbortSignal, giveUp: (why: unknown) => void): Promise<void> => {
    const address = typeof url === "string" ? url : url()
    const headers = lastId === "" || typeof url !== "string" ? {} : { "last-event-id": lastId }
    let silence = setTimeout(giveUp, silentMillis)
    const onBytes = () => {
      clearTimeout(silence)
      silence = setTimeout(giveUp, silentMillis)
    }
    try {
      const response = await send(address, {
        headers: { accept: "text/event-stream", ...headers },
        credentials: "same-origin",
        cache: "no-store",
        signal
      })
      if (!response.ok || response.body === null) throw new Refused(await problemOf(response))
      onPhase({ name: "catching-up" })
      const push = sseParser((event) => {
        if (signal.aborted) return
        if (event.id !== "") lastId = event.id
        if (event.event === "error") throw new Refused(parsed<Problem>(event.data))
        if (event.event === "live") {
          failures = 0
          onPhase({ name: "live" })
        }
        onEvent(event)
      })
      const decoder = new TextDecoder()
      onHeard()
      for await (const bytes of response.body) {
        onBytes()
        onHeard()
        push(decoder.decode(bytes, { stream: true }))
      }
    } finally {
      clearTimeout(silence)
    }
  }

  const connect = async (): Promise<void> => {
    if (isStopped || isResting) return
    const thisConnection = new AbortController()
    connection = thisConnection
    onPhase({ name: "connecting" })
    let problem: Problem = { ...unreachable, title: "Connection lost", detail: "The server ended the connection." }
    try {
      await read(thisConnection.signal, () => thisConnection.abort(new Refused(silentFor(silentMillis))))
    } catch (cause) {
      if (connection !== thisConnection) return
      problem = cause instanceof Refused || !(cause instanceof TypeError) ? problemFrom(cause) : unreachable
    }
    if (connection !== thisConnection) return
    connection = undefined
    if (isFinal(problem.status)) {
      isStopped = true
      return onPhase({ name: "refused", problem })
    }
    const delay = retryDelayMillis(failures, Math.random())
    failures += 1
    retryTimer = setTimeout(() => void connect(), delay)
    onPhase({ name: "lost", retryAt: Date.now() + delay, problem })
  }

  const disconnect = () => {
    clearTimeout(retryTimer)
    const closing = connection
    connection = undefined
    closing?.abort()
  }

  void connect()
  return {
    stop: () => {
      isStopped = true
      disconnect()
    },
    retry: () => {
      if (isStopped || isResting || connection !== undefined) return
      disconnect()
      void connect()
    },
    rest: () => {
      if (isStopped || isResting) return
      isResting = true
      disconnect()
      onPhase({ name: "resting" })
    },
    resume: () => {
      if (isStopped || !isResting) return
      isResting = false
      void connect()
    }
  }
}
