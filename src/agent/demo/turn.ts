/** One turn of the demo agent: what is said in it, what is asked, and how it ends. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Running, Session } from "./memory.ts"
import { ask, send, text, update } from "./wire.ts"

/** What a directive is cut off with when the user has something to say. */
export const interjected = Symbol("interjected")

export class Turn implements Running {
  readonly session: Session
  /** Cancelled. */
  readonly signal: AbortSignal
  /** The client understands typed failures (`_meta.jetbrains.air`, which both real adapters speak). */
  readonly typedFailures: boolean
  /** What the agent said, for its memory. */
  said = ""
  stopReason = "end_turn"
  meta: Readonly<Record<string, unknown>> | null = null
  /** Done once the turn's result is on its way. */
  readonly afterwards: Array<() => Promise<void>> = []
  #calls = 0
  readonly #cancelled = new AbortController()
  /** As with a real model, words of the user cut off what is being said, and wait for a tool's end. */
  #interjected = new AbortController()
  readonly #words: Array<string> = []
  #answers = 0

  constructor(session: Session, typedFailures: boolean) {
    this.session = session
    this.signal = this.#cancelled.signal
    this.typedFailures = typedFailures
  }

  cancel(): void {
    this.#cancelled.abort()
  }

  steer(words: string): void {
    this.#words.push(words)
    this.#interjected.abort(interjected)
  }

  /** The next words of the user's, which begin another answer; `undefined` where there are none. */
  takeSteering(): string | undefined {
    const words = this.#words.shift()
    if (words === undefined) return undefined
    if (this.#words.length === 0) this.#interjected = new AbortController()
    this.said = ""
    this.#answers += 1
    return words
  }

  get messageId(): string {
    return this.#answers === 0 ? `msg_${this.session.turns}` : `msg_${this.session.turns}_${this.#answers}`
  }

  say(words: string): void {
    this.said += words
    this.update({ sessionUpdate: "agent_message_chunk", content: text(words), messageId: this.messageId })
  }

  /** For a paragraph after others: what was said before is another one. */
  tell(words: string): void {
    this.say(this.said === "" ? words : `\n${words}`)
  }

  update(change: Readonly<Record<string, unknown>>): void {
    update(this.session.id, change)
  }

  nextCallId(): string {
    this.#calls += 1
    return `call_${this.session.turns}_${this.#calls}`
  }

  async wait(millis: number): Promise<void> {
    const signal = AbortSignal.any([this.signal, this.#interjected.signal])
    await sleep(millis, undefined, { signal }).catch((cause: unknown) => {
      this.signal.throwIfAborted()
      throw this.#interjected.signal.aborted ? interjected : cause
    })
  }

  /**
   * Asks the client whether a tool may be used. The answer is the id of the option that it took, or what it said
   * instead of an answer; `allow…` means yes.
   */
  async mayI(toolCallId: string, kind: string, title: string): Promise<string> {
    const { allowed, id } = this.session
    if (allowed.has(kind)) return "allow-always, as before"
    const reply = await ask(
      "session/request_permission",
      { sessionId: id, toolCall: { toolCallId, title, kind, status: "pending", rawInput: {} }, options },
      this.signal
    )
    const outcome = (reply.result as { readonly outcome?: unknown } | undefined)?.outcome as
      | { readonly outcome?: unknown; readonly optionId?: unknown }
      | undefined
    if (outcome?.outcome === "cancelled") return "cancelled"
    const option = options.find(({ optionId }) => optionId === outcome?.optionId)
    if (outcome?.outcome !== "selected" || option === undefined) return "nothing that was offered"
    if (option.kind === "allow_always") allowed.add(kind)
    return option.optionId
  }

  /** The answer to the prompt's request. Its tokens are words: the demo agent has no model to count for it. */
  reply(id: unknown, prompt: string): void {
    const inputTokens = wordsIn(prompt)
    const outputTokens = wordsIn(this.said)
    const usage = {
      inputTokens,
      outputTokens,
      cachedReadTokens: 0,
      cachedWriteTokens: 0,
      totalTokens: inputTokens + outputTokens
    }
    const meta = this.meta === null ? {} : { _meta: this.meta }
    send({ id, result: { stopReason: this.signal.aborted ? "cancelled" : this.stopReason, usage, ...meta } })
  }
}

const options = [
  { optionId: "allow-once", name: "Allow once", kind: "allow_once" },
  { optionId: "allow-always", name: "Allow for this session", kind: "allow_always" },
  { optionId: "reject-once", name: "Reject", kind: "reject_once" }
] as const

const wordsIn = (text: string): number => text.split(/\s+/).filter((word) => word !== "").length
