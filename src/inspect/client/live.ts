/**
 * Follows one of Troupe's streams for as long as its reader wants it: connects, comes back with the last id that it saw,
 * waits longer after each failure, and says at every moment where it stands.
 *
 * `fetch` and not `EventSource`, which tells neither why it was refused nor when it tries again.
 */
import { problemFrom, problemOf, Refused, unreachable } from "./api.ts"
import type { Problem } from "./api.ts"
import { sseParser } from "./sse.ts"
import type { ServerEvent } from "./sse.ts"
import { parsed } from "./visible.ts"

export type Phase =
  | { readonly name: "connecting" }
  /** Connected; what was missed is being told. */
  | { readonly name: "catching-up" }
  | { readonly name: "live" }
  /** Tries again at `retryAt`, in milliseconds of the reader's own clock. */
  | { readonly name: "lost"; readonly retryAt: number; readonly problem: Problem }
  /** Nobody may look from here: no more attempts. */
  | { readonly name: "refused"; readonly problem: Problem }
  /** Nobody looks, as at a page that is hidden. */
  | { readonly name: "resting" }

export interface FollowOptions {
  readonly url: string
  readonly onEvent: (event: ServerEvent) => void
  readonly onPhase: (phase: Phase) => void
  /** Where to go on from, as an SSE id. */
  readonly after?: string
  readonly send?: typeof fetch
}

export interface Following {
  readonly stop: () => void
  /** Now, and not when the wait is over. */
  readonly retry: () => void
  /** Lets go of the connection until `resume`: a server need not feed pages that nobody sees. */
  readonly rest: () => void
  readonly resume: () => void
}

/** The server writes a comment every 15 s: a connection that is silent for longer is none. */
const silentMillis = 40_000

/** 0.5 s, doubled with each failure in a row, at most 15 s; spread, so that many pages do not come back at once. */
export const retryDelayMillis = (failures: number, random: number): number =>
  Math.round(Math.min(15_000, 500 * 2 ** Math.min(failures, 10)) * (0.75 + random / 2))

/** Answers that another attempt will not change. */
const isFinal = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429

export const follow = ({ after = "", onEvent, onPhase, send = fetch, url }: FollowOptions): Following => {
  let lastId = after
  let failures = 0
  let connection: AbortController | undefined
  let waiting: ReturnType<typeof setTimeout> | undefined
  let isResting = false
  let isOver = false

  const read = async (signal: AbortSignal, giveUp: (why: unknown) => void): Promise<void> => {
    const headers = lastId === "" ? {} : { "last-event-id": lastId }
    let silence = setTimeout(giveUp, silentMillis)
    const heard = () => {
      clearTimeout(silence)
      silence = setTimeout(giveUp, silentMillis)
    }
    try {
      const response = await send(url, {
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
      for await (const bytes of response.body) {
        heard()
        push(decoder.decode(bytes, { stream: true }))
      }
    } finally {
      clearTimeout(silence)
    }
  }

  const connect = async (): Promise<void> => {
    if (isOver || isResting) return
    const own = new AbortController()
    connection = own
    onPhase({ name: "connecting" })
    let problem: Problem = { ...unreachable, title: "Connection lost", detail: "The server ended the connection." }
    try {
      await read(own.signal, () => own.abort(new Refused(unreachable)))
    } catch (cause) {
      if (connection !== own) return
      problem = cause instanceof Refused || !(cause instanceof TypeError) ? problemFrom(cause) : unreachable
    }
    if (connection !== own) return
    connection = undefined
    if (isFinal(problem.status)) {
      isOver = true
      return onPhase({ name: "refused", problem })
    }
    const delay = retryDelayMillis(failures, Math.random())
    failures += 1
    waiting = setTimeout(() => void connect(), delay)
    onPhase({ name: "lost", retryAt: Date.now() + delay, problem })
  }

  const letGo = () => {
    clearTimeout(waiting)
    const own = connection
    connection = undefined
    own?.abort()
  }

  void connect()
  return {
    stop: () => {
      isOver = true
      letGo()
    },
    retry: () => {
      if (isOver || isResting || connection !== undefined) return
      letGo()
      void connect()
    },
    rest: () => {
      if (isOver || isResting) return
      isResting = true
      letGo()
      onPhase({ name: "resting" })
    },
    resume: () => {
      if (isOver || !isResting) return
      isResting = false
      void connect()
    }
  }
}
