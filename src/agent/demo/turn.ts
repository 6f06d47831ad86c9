/** One turn of the demo agent: what is said in it, what is asked, and how it ends. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Session } from "./memory.ts"
import { ask, send, text, update } from "./wire.ts"

export class Turn {
  readonly session: Session
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

  constructor(session: Session, signal: AbortSignal, typedFailures: boolean) {
    this.session = session
    this.signal = signal
    this.typedFailures = typedFailures
  }

  get messageId(): string {
    return `msg_${this.session.turns}`
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
    await sleep(millis, undefined, { signal: this.signal })
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
