/**
 * Listens for an agent that says in its text that its turn was aborted. No other end may come of such a turn, and the
 * agent may still be at it.
 *
 * The marker is only suspected here, chunk by chunk; whether the text speaks of it or means it is for the projection to
 * say, once the text is whole: marked as such, or followed by nothing for a while.
 */
import { Clock, Effect } from "effect"
import type { AcpMessage } from "../domain/Acp.ts"
import { abortMarker } from "../domain/Turn.ts"
import type { SessionTimers } from "./SessionTimers.ts"

const timer = "aborted"
/** After its last word, where the agent does not mark a text as whole. */
const graceMillis = 5_000

export interface AbortWatch {
  /** Something of the running turn. */
  readonly heard: (turn: number, message: AcpMessage) => Effect.Effect<void>
  readonly suspects: () => boolean
  /** The turn is over. */
  readonly rest: () => void
}

export const make = (timers: SessionTimers): AbortWatch => {
  let suspected = false
  /** The end of the text that is being said, as long as a marker that is cut in two. */
  let tail = ""
  let id: unknown
  return {
    heard: (turn, message) =>
      Effect.suspend(() => {
        const words = wordsIn(message)
        if (words === null) return Effect.void
        const said = words.id === id ? tail + words.text : words.text
        id = words.id
        tail = said.slice(1 - abortMarker.length)
        suspected ||= said.includes(abortMarker)
        if (!suspected) return Effect.void
        return Effect.map(Clock.currentTimeMillis, (now) =>
          timers.arm(timer, words.whole ? now : now + graceMillis, { type: "turn.aborted", turn })
        )
      }),
    suspects: () => suspected,
    rest: () => {
      if (suspected) timers.disarm(timer)
      suspected = false
      tail = ""
      id = undefined
    }
  }
}

const wordsIn = (message: AcpMessage) => {
  if (!("method" in message) || message.method !== "session/update") return null
  const { update } = message.params
  if (update.sessionUpdate !== "agent_message_chunk") return null
  const { text } = (update["content"] ?? {}) as { readonly text?: unknown }
  const meta = (update["_meta"] ?? {}) as { readonly "troupe/completed"?: unknown }
  return typeof text === "string" ? { text, id: update["messageId"], whole: meta["troupe/completed"] === true } : null
}
