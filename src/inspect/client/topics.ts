/**
 * Many topics over one connection: all sessions' changes, and single sessions (`GET live`). What is followed may change at
 * any time; then the connection is made anew with the position that each topic has, so nothing is missed or repeated.
 */
import type { Problem } from "./api.ts"
import { follow } from "./live.ts"
import type { Following, Phase } from "./live.ts"
import type { ServerEvent } from "./sse.ts"
import { parsed } from "./visible.ts"

export interface TopicReader {
  readonly onEvent: (event: ServerEvent) => void
  readonly onPhase: (phase: Phase) => void
}

export interface Topics {
  /** `steps`, or a session's id; after that id, or from the beginning. Returns what ends it. */
  readonly follow: (name: string, after: string, reader: TopicReader) => () => void
  /** Where the connection is lost: reconnects now, and not when the wait is over. */
  readonly retry: () => void
}

interface Followed {
  readonly name: string
  readonly reader: TopicReader
  /** The last id that it received. */
  after: string
  phase: Phase["name"]
}

/** As many as a browser follows, and the server takes: each costs a place in the address and a reader of the ledger. */
export const mostTopics = 64
const tooMany: Problem = {
  status: 0,
  error: "too_many_windows",
  title: "Too many windows",
  detail: `This browser follows ${mostTopics} things of this Troupe at once already. Close some windows, and load this one anew.`
}
/** Topics that come and go together are one connection. */
const gatherMillis = 20

export const followTopics = (options: {
  readonly urlOf: (topics: ReadonlyArray<{ readonly name: string; readonly after: string }>) => string
  readonly onHeard: () => void
  readonly send?: typeof fetch
}): Topics => {
  const all = new Set<Followed>()
  let following: Following | undefined
  let gathering: ReturnType<typeof setTimeout> | undefined
  /** As the present connection names them: by their place. */
  let asked: ReadonlyArray<Followed> = []
  let current: Followed | undefined

  const tell = (topic: Followed, phase: Phase) => {
    topic.phase = phase.name
    topic.reader.onPhase(phase)
  }

  const onPhase = (phase: Phase) => {
    // Each topic says for itself when it has all.
    if (phase.name === "live") return
    const isUnder = phase.name === "connecting" || phase.name === "catching-up"
    // One that is live stays so while the connection is made anew for another.
    for (const topic of all) if (!isUnder || topic.phase !== "live") tell(topic, phase)
    if (phase.name === "refused") all.clear()
  }

  const onEvent = (event: ServerEvent) => {
    if (event.event === "on") {
      current = asked[Number(event.data)]
      return
    }
    if (current === undefined || !all.has(current)) return
    if (event.id !== "") current.after = event.id
    if (event.event === "gone") {
      all.delete(current)
      return tell(current, { name: "refused", problem: parsed<Problem>(event.data) })
    }
    if (event.event === "live") {
      if (current.phase === "live") return
      tell(current, { name: "live" })
    }
    current.reader.onEvent(event)
  }

  const connect = () => {
    gathering = undefined
    following?.stop()
    following = undefined
    if (all.size === 0) return
    const url = () => {
      asked = [...all]
      current = undefined
      return options.urlOf(asked)
    }
    following = follow({ ...options, url, onEvent, onPhase })
  }
  const connectSoon = () => {
    gathering ??= setTimeout(connect, gatherMillis)
  }

  return {
    follow: (name, after, reader) => {
      if (all.size >= mostTopics) {
        reader.onPhase({ name: "refused", problem: tooMany })
        return () => {}
      }
      const topic: Followed = { name, after, reader, phase: "connecting" }
      all.add(topic)
      reader.onPhase({ name: "connecting" })
      connectSoon()
      return () => {
        if (all.delete(topic)) connectSoon()
      }
    },
    retry: () => following?.retry()
  }
}
