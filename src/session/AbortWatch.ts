/**
 * Looks for a text that says that its turn was aborted. No other end may come of such a turn, and the agent may still be
 * at work.
 *
 * The marker is only suspected here, chunk by chunk. Whether the text quotes it or means it is for the projection to
 * say, once the text is whole: marked as such, or followed by nothing for a while.
 */
import type { Clock } from "effect"
import type { AcpMessage } from "../domain/Acp.ts"
import { abortMarker } from "../domain/Turn.ts"
import type { SessionTimers } from "./SessionTimers.ts"

type Arming = Pick<SessionTimers, "armUnstored" | "disarm">
type Now = Pick<Clock.Clock, "currentTimeMillisUnsafe">

const abortTimer = "aborted"
/** After the last chunk, where the agent does not mark a text as whole. */
const abortGraceMillis = 5_000

export class AbortWatch {
  readonly #timers: Arming
  readonly #clock: Now
  #isSuspected = false
  /** The end of the text so far, as long as a marker that is cut in two. */
  #tail = ""
  #messageId: unknown

  constructor(timers: Arming, clock: Now) {
    this.#timers = timers
    this.#clock = clock
  }

  received(turn: number, message: AcpMessage): void {
    const chunk = textChunk(message)
    if (chunk === null) return
    const text = chunk.id === this.#messageId ? this.#tail + chunk.text : chunk.text
    this.#messageId = chunk.id
    this.#tail = text.slice(1 - abortMarker.length)
    this.#isSuspected ||= text.includes(abortMarker)
    if (!this.#isSuspected) return
    const dueAt = this.#clock.currentTimeMillisUnsafe() + (chunk.isWhole ? 0 : abortGraceMillis)
    this.#timers.armUnstored({ timer: abortTimer, dueAt, event: { type: "turn.aborted", turn } })
  }

  suspects(): boolean {
    return this.#isSuspected
  }

  end(): void {
    if (this.#isSuspected) this.#timers.disarm(abortTimer)
    this.#isSuspected = false
    this.#tail = ""
    this.#messageId = undefined
  }
}

const textChunk = (message: AcpMessage) => {
  if (!("method" in message) || message.method !== "session/update") return null
  const { update } = message.params
  if (update.sessionUpdate !== "agent_message_chunk") return null
  const { text } = (update["content"] ?? {}) as { readonly text?: unknown }
  const meta = (update["_meta"] ?? {}) as { readonly "troupe/completed"?: unknown }
  return typeof text === "string" ? { text, id: update["messageId"], isWhole: meta["troupe/completed"] === true } : null
}
