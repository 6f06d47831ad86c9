/** One turn of the demo agent: its updates, its permission requests, and its end. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Running, Session } from "./memory.ts"
import { ask, send, text, update } from "./wire.ts"

/** The reason by which a directive is aborted when the user steers the turn. */
export const steered = Symbol("interjected")

export class Turn implements Running {
  readonly session: Session
  /** Aborted when the turn is cancelled. */
  readonly signal: AbortSignal
  /** The client understands typed failures (`_meta.jetbrains.air`, which both real adapters speak). */
  readonly typedFailures: boolean
  /** The client has forms filled in (`elicitation.form`). */
  readonly takesForms: boolean
  /** The trace that its prompt came with; "": none. */
  readonly traceparent: string
  /** The agent's answer so far. */
  answer = ""
  stopReason = "end_turn"
  meta: Readonly<Record<string, unknown>> | null = null
  /** Run after the turn's result was sent. */
  readonly afterwards: Array<() => Promise<void>> = []
  #calls = 0
  readonly #cancelled = new AbortController()
  /** As with a real model, steering aborts a text, and waits for the end of a tool. */
  #steering = new AbortController()
  readonly #words: Array<string> = []
  #answers = 0

  constructor(
    session: Session,
    client: { readonly typedFailures: boolean; readonly takesForms: boolean },
    traceparent: string
  ) {
    this.session = session
    this.traceparent = traceparent
    this.signal = this.#cancelled.signal
    this.typedFailures = client.typedFailures
    this.takesForms = client.takesForms
  }

  cancel(): void {
    this.#cancelled.abort()
  }

  steer(words: string): void {
    this.#words.push(words)
    this.#steering.abort(steered)
  }

  /** The next words of the user, which begin another answer; `undefined`: there are none. */
  takeSteering(): string | undefined {
    const words = this.#words.shift()
    if (words === undefined) return undefined
    if (this.#words.length === 0) this.#steering = new AbortController()
    this.answer = ""
    this.#answers += 1
    return words
  }

  get messageId(): string {
    return this.#answers === 0 ? `msg_${this.session.turns}` : `msg_${this.session.turns}_${this.#answers}`
  }

  say(words: string): void {
    this.answer += words
    this.update({ sessionUpdate: "agent_message_chunk", content: text(words), messageId: this.messageId })
  }

  /** As `say`, in a paragraph of its own. */
  sayParagraph(words: string): void {
    this.say(this.answer === "" ? words : `\n${words}`)
  }

  update(change: Readonly<Record<string, unknown>>): void {
    update(this.session.id, change)
  }

  nextCallId(): string {
    this.#calls += 1
    return `call_${this.session.turns}_${this.#calls}`
  }

  async wait(millis: number): Promise<void> {
    const signal = AbortSignal.any([this.signal, this.#steering.signal])
    await sleep(millis, undefined, { signal }).catch((cause: unknown) => {
      this.signal.throwIfAborted()
      throw this.#steering.signal.aborted ? steered : cause
    })
  }

  /**
   * Asks the client whether a tool may be used. Gives the id of the option that the client chose, or what it answered
   * instead; `allow…` means yes.
   */
  async requestPermission(toolCallId: string, kind: string, title: string, details: object): Promise<string> {
    const { allowed, id } = this.session
    if (allowed.has(kind)) return "allow-always, as before"
    const reply = await ask(
      "session/request_permission",
      { sessionId: id, toolCall: { toolCallId, title, kind, status: "pending", ...details }, options },
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

  /** Sends the result of the prompt. Its tokens are words, because there is no model that counts. */
  reply(id: unknown, prompt: string): void {
    const inputTokens = wordsIn(prompt)
    const outputTokens = wordsIn(this.answer)
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
