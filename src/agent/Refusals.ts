/**
 * Recognizes a conversation that the model's API refuses for ever, by its failures: the same refusal, twice, of what the
 * conversation holds. Pure.
 *
 * An API checks the whole history with each request. Where an adapter has written something into it that the API refuses
 * (a changed `thinking` block, a tool call without its result, too many tokens), every further turn fails the same way.
 * Once is not enough: it may have been the last prompt that was at fault, and some adapters leave that out afterwards.
 */
import type { Failure } from "../domain/Turn.ts"

/** An HTTP status 400, and words about what a request holds of the conversation. */
const refusesRequest = /\b400\b|invalid_request_error|\bbad request\b/i
const namesHistory =
  /\bmessages?[.[]\s*\d+|\binput\[\d+\]|\btool_(use|result|call)|\bfunction_call|\bthinking\b|\bprompt is too long\b|\bcontext[ _](length|window|limit)|\bmaximum context\b|\bcontent blocks?\b|\bcould not process image\b|\bimages? (exceeds?|dimensions)\b/i

const sameWords = (message: string): string =>
  message
    .toLowerCase()
    .replaceAll(/\breq_\w+|\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, "")
    .replaceAll(/\d+/g, "#")

export class Refusals {
  #last: string | null = null

  /** The failure of a turn, or, where it is the second of its kind, one of class `conversation`. */
  judge(agent: string, failure: Failure): Failure {
    const { message } = failure
    if (failure.class !== "model" || !refusesRequest.test(message) || !namesHistory.test(message)) return failure
    const words = sameWords(message)
    const isSecond = words === this.#last
    this.#last = words
    if (!isSecond) return failure
    const [, reason = message] = /failed: (.*?)(?: Send the turn again.*)?$/s.exec(message) ?? []
    return {
      class: "conversation",
      message: `${agent} can't go on in this conversation, because the model refuses what was said before, twice in the same words: ${reason} Start a new session, and send the turn there.`
    }
  }

  /** A turn has ended well, so the conversation is accepted. */
  reset(): void {
    this.#last = null
  }
}

export const make = (): Refusals => new Refusals()
