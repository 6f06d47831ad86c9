/** The page's topics: through the worker that all windows of the browser share, or over a connection of its own. */
import { followTopics } from "../../client/topics.ts"
import type { TopicReader, Topics } from "../../client/topics.ts"
import type { Following } from "../../client/live.ts"
import { api, heard } from "../store.ts"
import { portOf } from "./messages.ts"
import { throughWorker } from "./throughWorker.ts"

const makeOwn = (): Topics => followTopics({ urlOf: api.liveUrl, onHeard: heard })

const make = (): Topics => {
  if (typeof SharedWorker === "undefined") return makeOwn()
  try {
    const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "troupe" })
    const shared = throughWorker(portOf(worker.port), heard, makeOwn)
    worker.addEventListener("error", shared.giveUp)
    addEventListener("pagehide", shared.leave)
    addEventListener("pageshow", (event) => {
      if (event.persisted) shared.comeBack()
    })
    return shared
  } catch {
    // A browser that forbids it, such as one without storage for this address.
    return makeOwn()
  }
}

/** Late: an exported session has parts of the page, and no server. */
let made: Topics | undefined

/** Follows a topic after an id, or from its beginning (all sessions: from now on); it can rest, and goes on where it was. */
export const followLive = (name: string, { onEvent, onPhase }: TopicReader, begin = ""): Following => {
  const topics = (made ??= make())
  let after = begin
  let isStopped = false
  const reader: TopicReader = {
    onPhase,
    onEvent: (event) => {
      if (event.id !== "") after = event.id
      onEvent(event)
    }
  }
  let end: (() => void) | undefined = topics.follow(name, after, reader)
  const disconnect = () => {
    end?.()
    end = undefined
  }
  return {
    stop: () => {
      isStopped = true
      disconnect()
    },
    retry: topics.retry,
    rest: () => {
      if (isStopped || end === undefined) return
      disconnect()
      onPhase({ name: "resting" })
    },
    resume: () => {
      if (!isStopped && end === undefined) end = topics.follow(name, after, reader)
    }
  }
}
