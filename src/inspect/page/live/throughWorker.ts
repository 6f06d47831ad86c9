/** A window's side: its topics, through the worker; and over a connection of its own where the worker does not answer. */
import type { TopicReader, Topics } from "../../client/topics.ts"
import type { FromWindow, FromWorker, Port } from "./messages.ts"

interface Followed {
  readonly name: string
  readonly reader: TopicReader
  /** The last id that it has dealt with. */
  after: string
  /** `null`: over the window's own connection. */
  key: number | null
  stop: () => void
}

const askEveryMillis = 20_000
/** A computer that slept runs the timers first, and then what came. */
const mostUnanswered = 2

export interface ThroughWorker extends Topics {
  /** The window may be kept by the browser and shown again. */
  readonly leave: () => void
  readonly comeBack: () => void
  /** To be called when the worker can't be started. */
  readonly giveUp: () => void
  readonly end: () => void
}

export const throughWorker = (
  port: Port<FromWindow, FromWorker>,
  onHeard: () => void,
  makeOwn: () => Topics
): ThroughWorker => {
  const all = new Set<Followed>()
  let lastKey = 0
  let own: Topics | undefined
  let unanswered = 0

  const begin = (topic: Followed) => {
    if (own !== undefined) {
      topic.key = null
      topic.stop = own.follow(topic.name, topic.after, topic.reader)
      return
    }
    const key = ++lastKey
    topic.key = key
    topic.stop = () => port.send({ type: "stop", key })
    port.send({ type: "follow", key, name: topic.name, after: topic.after })
  }
  const topicOf = (key: number) => [...all].find((topic) => topic.key === key)

  const take = (message: FromWorker) => {
    unanswered = 0
    switch (message.type) {
      case "heard":
        return onHeard()
      case "phase":
        return topicOf(message.key)?.reader.onPhase(message.phase)
      case "events": {
        const topic = topicOf(message.key)
        for (const event of topic === undefined ? [] : message.events) {
          topic?.reader.onEvent(event)
          if (topic !== undefined && event.id !== "") topic.after = event.id
        }
        return port.send({ type: "took", chars: message.chars })
      }
      case "dropped": {
        const topic = topicOf(message.key)
        return topic === undefined ? undefined : begin(topic)
      }
      case "here":
    }
  }
  port.listen(take)

  const giveUp = () => {
    if (own !== undefined) return
    port.send({ type: "leave" })
    own = makeOwn()
    for (const topic of all) begin(topic)
  }
  const asking = setInterval(() => {
    if (own !== undefined || all.size === 0) return
    if (unanswered >= mostUnanswered) return giveUp()
    unanswered += 1
    port.send({ type: "here" })
  }, askEveryMillis)

  return {
    follow: (name, after, reader) => {
      const topic: Followed = { name, after, reader, key: null, stop: () => {} }
      all.add(topic)
      begin(topic)
      return () => {
        if (all.delete(topic)) topic.stop()
      }
    },
    retry: () => (own === undefined ? port.send({ type: "retry" }) : own.retry()),
    leave: () => {
      if (own === undefined) port.send({ type: "leave" })
    },
    comeBack: () => {
      if (own === undefined) for (const topic of all) begin(topic)
    },
    giveUp,
    end: () => clearInterval(asking)
  }
}
