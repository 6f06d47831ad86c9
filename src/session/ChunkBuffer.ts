/**
 * What an agent said, on its way into the ledger: consecutive chunks of one message merged, numbered when taken.
 *
 * What comes behind its turn's end is marked as late. Synchronous and without a clock of its own: the actor decides when to take, and commits what it took.
 */
import { lateMessage, subagentKind } from "../domain/Acp.ts"
import type { AcpMessage, SessionUpdate } from "../domain/Acp.ts"
import { boundedMessage } from "../domain/boundedMessage.ts"
import type { SessionId } from "../domain/Ids.ts"
import { objectIn, shownIn } from "../domain/json.ts"
import type { JsonObject } from "../domain/json.ts"
import type { StoredEvent } from "../domain/Session.ts"

/** A merged chunk grows to this and no further, so that no event gets too big to send. */
const longestChunk = 64 * 1024

/** Turns whose late updates are recognized: an agent has at most a few that still report something. */
const maxEndedTurns = 64

interface Pending {
  readonly turn: number | null
  readonly at: number
  readonly message: AcpMessage
  /** The chunk that it is; `null`: it is none, and nothing is merged into it. */
  readonly chunk: Chunk | null
  /** All of its text, put into the message when it is taken. */
  text: string
}

interface Chunk {
  readonly text: string
  /** Whose text it is: chunks of which this is the same belong together. */
  readonly kind: string
  readonly message: string
}

/** Chunks of one message: same turn, same kind, same message, plain text and nothing else said about them. */
const mergeable = (update: SessionUpdate): Chunk | null => {
  if (update.sessionUpdate !== subagentKind) return chunkIn(update)
  // An agent may say this kind by itself, so nothing of it is sure to be there.
  const inner = chunkIn(objectIn(update["update"]))
  return inner === null ? null : { ...inner, kind: `${shownIn(update["sessionId"])} ${inner.kind}` }
}

const chunkIn = (update: JsonObject): Chunk | null => {
  const { _meta, content, messageId, sessionUpdate } = update
  if (sessionUpdate !== "agent_message_chunk" && sessionUpdate !== "agent_thought_chunk") return null
  const { text, type } = objectIn(content)
  if (type !== "text" || typeof text !== "string" || _meta !== undefined) return null
  return { text, kind: sessionUpdate, message: typeof messageId === "string" ? messageId : shownIn(messageId ?? "") }
}

const belongTogether = (a: Chunk, b: Chunk): boolean => a.kind === b.kind && a.message === b.message

const updateOf = (message: AcpMessage): SessionUpdate | null =>
  "method" in message && message.method === "session/update" ? message.params.update : null

export class ChunkBuffer {
  readonly #session: SessionId
  #seq: number
  #pending: Array<Pending> = []
  #bytes = 0
  readonly #ended = new Set<number>()

  constructor(session: SessionId, lastSeq: number) {
    this.#session = session
    this.#seq = lastSeq
  }

  /** Roughly what waits to be taken, in characters. */
  get waiting(): number {
    return this.#bytes
  }

  /** The number that the last event gets, of those that wait, too. */
  get last(): number {
    return this.#seq + this.#pending.length
  }

  append(turn: number | null, appended: AcpMessage, at: number): void {
    const message = this.#marked(turn, boundedMessage(appended))
    const update = updateOf(message)
    const chunk = update === null ? null : mergeable(update)
    if (chunk === null) {
      this.#bytes += 256
      this.#pending.push({ turn, at, message, chunk, text: "" })
      return
    }
    const { text } = chunk
    this.#bytes += text.length
    const last = this.#pending.at(-1)
    const continues =
      last !== undefined &&
      last.chunk !== null &&
      last.turn === turn &&
      belongTogether(last.chunk, chunk) &&
      last.text.length + text.length <= longestChunk
    if (continues) last.text += text
    else this.#pending.push({ turn, at, message, chunk, text })
  }

  #marked(turn: number | null, message: AcpMessage): AcpMessage {
    if (turn === null) return message
    if (!("method" in message)) {
      this.#ended.add(turn)
      const [oldest] = this.#ended
      if (this.#ended.size > maxEndedTurns && oldest !== undefined) this.#ended.delete(oldest)
      return message
    }
    return message.method === "session/update" && this.#ended.has(turn) ? lateMessage(message) : message
  }

  /** Numbers what waits and hands it over: commit it, or the numbers are lost. */
  take(): ReadonlyArray<StoredEvent> {
    const taken = this.#pending
    this.#pending = []
    this.#bytes = 0
    return taken.map(({ at, chunk, message: first, text, turn }) => {
      const message = chunk === null || chunk.text === text ? first : withText(first, text)
      return { session: this.#session, seq: ++this.#seq, turn, at, message, json: JSON.stringify(message) }
    })
  }
}

const withText = (message: AcpMessage, text: string): AcpMessage => {
  if (!("method" in message) || message.method !== "session/update") return message
  return { ...message, params: { ...message.params, update: updateWithText(message.params.update, text) } }
}

const updateWithText = (update: SessionUpdate, text: string): SessionUpdate =>
  update.sessionUpdate === subagentKind
    ? { ...update, update: { ...objectIn(update["update"]), content: { type: "text", text } } }
    : { ...update, content: { type: "text", text } }
