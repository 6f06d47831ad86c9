/**
 * The worker's side: the windows of one browser, each with a port, share the topics of one connection.
 *
 * No window waits for another. What is sent to a window that takes nothing is bounded: past that its topics are dropped,
 * and it follows again, after the last event that it has, when it comes round.
 */
import type { Topics } from "../../client/topics.ts"
import type { ServerEvent } from "../../client/sse.ts"
import type { FromWindow, FromWorker, Port } from "./messages.ts"

/** Characters of events that a window was sent and has not dealt with. */
export const mostUntaken = 8 * 1024 * 1024
/** A window that was closed without a word is forgotten. A hidden one may run its timers once a minute only. */
const forgottenAfterMillis = 180_000
const heardEveryMillis = 1_000

interface Window {
  readonly port: Port<FromWorker, FromWindow>
  /** What ends each topic. */
  readonly stops: Map<number, () => void>
  untaken: number
  seenAt: number
}

export const windowsOf = (makeTopics: (onHeard: () => void) => Topics) => {
  const windows = new Set<Window>()
  let heardAt = 0
  const topics = makeTopics(() => {
    const now = Date.now()
    if (now - heardAt < heardEveryMillis) return
    heardAt = now
    for (const { port, stops } of windows) if (stops.size > 0) port.send({ type: "heard" })
  })

  const drop = ({ port, stops }: Window) => {
    for (const [key, stop] of stops) {
      stop()
      port.send({ type: "dropped", key })
    }
    stops.clear()
  }

  const follow = (window: Window, key: number, name: string, after: string) => {
    const { port, stops } = window
    let gathered: Array<ServerEvent> = []
    const flush = () => {
      const events = gathered
      gathered = []
      if (!stops.has(key)) return
      const chars = events.reduce((sum, { data }) => sum + data.length + 64, 0)
      window.untaken += chars
      port.send({ type: "events", key, events, chars })
      if (window.untaken > mostUntaken) drop(window)
    }
    // Known before anything can come.
    stops.set(key, () => {})
    const stop = topics.follow(name, after, {
      // All that one piece of the stream brings is one message.
      onEvent: (event) => {
        if (gathered.push(event) === 1) queueMicrotask(flush)
      },
      onPhase: (phase) => {
        // Never before the events that led to it.
        if (gathered.length > 0) flush()
        if (stops.has(key)) port.send({ type: "phase", key, phase })
      }
    })
    stops.set(key, stop)
  }

  const take = (window: Window, message: FromWindow) => {
    window.seenAt = Date.now()
    switch (message.type) {
      case "follow":
        windows.add(window)
        return follow(window, message.key, message.name, message.after)
      case "stop":
        window.stops.get(message.key)?.()
        window.stops.delete(message.key)
        return
      case "took":
        window.untaken -= message.chars
        return
      case "retry":
        return topics.retry()
      case "here":
        return window.port.send({ type: "here" })
      case "leave":
        for (const stop of window.stops.values()) stop()
        window.stops.clear()
        windows.delete(window)
    }
  }

  return {
    connect: (port: Port<FromWorker, FromWindow>): void => {
      const window: Window = { port, stops: new Map(), untaken: 0, seenAt: Date.now() }
      port.listen((message) => take(window, message))
    },
    /** To be called now and then. */
    forget: (now: number): void => {
      for (const window of windows) {
        if (now - window.seenAt < forgottenAfterMillis) continue
        drop(window)
        windows.delete(window)
      }
    }
  }
}
