/**
 * A turn's events as the things they tell of, each once, in the order in which they began.
 *
 * Chunks become texts and thoughts, updates become tool calls. Whether a text is complete is known in one of two ways:
 * codex marks it (`_meta["troupe/completed"]`); of every other agent a text is complete when something follows it or the
 * turn ends well. Never throws: events may be of any agent, of part of a turn, or in an order that none would send.
 */
import { isAgentMessage } from "../domain/Acp.ts"
import type { AcpMessage, ResultMessage, SessionUpdate } from "../domain/Acp.ts"
import type { TurnRecord } from "../domain/Turn.ts"
import { at, listIn, nonEmptyTextIn, objectIn, textIn } from "../domain/json.ts"
import * as ToolCall from "../domain/ToolCall.ts"

export interface TextEntry {
  readonly _tag: "Text" | "Thought"
  readonly id: string | null
  /** It began after the turn's end: Claude speaks up when a command in the background is done. */
  readonly late: boolean
  text: string
  complete: boolean
  /** On the way to an answer, as codex marks it. */
  commentary: boolean
}

export type TimelineEntry =
  | TextEntry
  | { readonly _tag: "Tool"; readonly tool: ToolCall.ToolCall }
  /** A person's words for the turn while it ran. */
  | { readonly _tag: "Steering"; readonly text: string }
  | { readonly _tag: "Note"; readonly kind: string; readonly payload: unknown }

export interface Timeline {
  readonly entries: ReadonlyArray<TimelineEntry>
  /** The turn has ended: what is open now stays open, but for a command that outlives its turn. */
  readonly over: boolean
  /** The agent says itself which of its texts are complete. */
  readonly marked: boolean
  /** The agent made room in its context. */
  readonly compacted: boolean
}

/** What a session says of itself beside the conversation. Anything else unknown is told in a note. */
const asides: ReadonlySet<string> = new Set([
  "user_message_chunk",
  "usage_update",
  "session_info_update",
  "available_commands_update",
  "current_mode_update",
  "config_option_update",
  "notice"
])

/** Notes of one turn; an agent that keeps sending what nobody knows fills no transcript with it. */
const notesKept = 100

export const read = (turn: TurnRecord, stored: ReadonlyArray<AcpMessage>): Timeline => {
  const events = ofThread(turn, stored.filter(isAgentMessage))
  const updates = events.flatMap(updateOf)
  const marked = updates.some((update) => isChunk(update) && markOf(update) !== undefined)
  const named = updates.some(namesMessages)

  const entries = new Set<TimelineEntry>()
  const tools = new Map<string, ToolCall.ToolCall>()
  /** Texts and thoughts that a chunk may still add to, by kind and id. */
  const known = new Map<string, TextEntry>()
  let current: TextEntry | null = null
  /** The id of what the last steering cut off, and what came under that id afterwards. */
  let cutOff: string | null = null
  let leftover: TextEntry | null = null
  let plan: TimelineEntry | null = null
  let over = turn.endedAt !== null
  let ended = false
  let compacted = false
  let notes = 0

  /** Nobody adds to the text that is being said: something else follows, or all is well. */
  const close = () => {
    if (current !== null && !marked) current.complete = true
    current = null
  }

  const hearChunk = (chunk: SessionUpdate) => {
    const _tag = chunk.sessionUpdate === "agent_message_chunk" ? "Text" : "Thought"
    const id = nonEmptyTextIn(chunk["messageId"])
    // Where the model's messages have ids, one without is the adapter's own: a warning, or why the turn failed.
    if (_tag === "Text" && id === null && named) return
    const key = `${_tag} ${id ?? ""}`
    // Without ids a thought between two texts makes them two.
    let words = id === null && (current?._tag !== _tag || current.id !== null) ? undefined : known.get(key)
    if (words === undefined) {
      words = { _tag, id, late: ended, text: "", complete: false, commentary: false }
      known.set(key, words)
      entries.add(words)
      if (id !== null && id === cutOff) leftover = words
    }
    // Chunks of what was cut off may come behind the steering. Another message says that they were no message of their own.
    if (current !== null && current === leftover && id !== current.id) current = null
    if (words !== current) close()
    current = words
    words.text += textIn(at(chunk, "content", "text")) ?? ""
    if (markOf(chunk) === true) words.complete = true
    if (objectIn(chunk["_meta"])["troupe/phase"] === "commentary") words.commentary = true
  }

  const hearTool = (update: SessionUpdate) => {
    const id = nonEmptyTextIn(update["toolCallId"])
    if (id === null) return
    let tool = tools.get(id)
    if (tool === undefined) {
      tool = ToolCall.begin(id)
      tools.set(id, tool)
      entries.add({ _tag: "Tool", tool })
    }
    if (update.sessionUpdate === "tool_call") {
      close()
      // What is said after a call is another message, whatever its id. Marked ids are the messages' own.
      if (!marked) known.clear()
    }
    ToolCall.merge(tool, update)
  }

  const note = (kind: string, payload: unknown): TimelineEntry => {
    close()
    const entry: TimelineEntry = { _tag: "Note", kind, payload }
    if (notes++ < notesKept) entries.add(entry)
    return entry
  }

  const hear = (update: SessionUpdate) => {
    // A sub-agent of Claude's has its updates in its parent's session.
    if (nonEmptyTextIn(at(update, "_meta", "claudeCode", "parentToolUseId")) !== null) return
    const kind = update.sessionUpdate
    if (isChunk(update)) return hearChunk(update)
    if (kind === "tool_call" || kind === "tool_call_update") return hearTool(update)
    if (kind === "plan") {
      // Each one replaces the last: how it stood in the end is what counts.
      if (plan !== null && entries.delete(plan)) notes--
      plan = note(kind, { entries: listIn(update["entries"]) })
      return
    }
    if (kind === "user_message_chunk" && at(update, "_meta", "troupe/steered") === true) {
      // What was being said is cut off by it, and what comes next is another message.
      if (current !== null) cutOff = current.id
      current = null
      if (!marked) known.clear()
      entries.add({ _tag: "Steering", text: textIn(at(update, "content", "text")) ?? "" })
      return
    }
    if (!asides.has(kind)) {
      const { sessionUpdate: _, ...payload } = update
      note(kind, payload)
      return
    }
    const item = at(update, "_meta", "troupe/item")
    if (item !== undefined) note(nonEmptyTextIn(at(item, "type")) ?? "item", at(item, "payload"))
    if (at(update, "_meta", "troupe/compaction") === "completed") compacted = true
    // claude-agent-acp tells the cost when a run of the model is over, cancelled or not: within a turn its end tells more.
    if (ended && kind === "usage_update" && update["cost"] !== undefined) close()
  }

  for (const event of events) {
    if ("method" in event) hear(event.params.update)
    else {
      if (endsWell(event)) close()
      current = null
      over = true
      ended = true
    }
  }
  if (!ended && turn.status === "completed") close()
  return { entries: [...entries], over, marked, compacted }
}

const updateOf = (event: AcpMessage): ReadonlyArray<SessionUpdate> =>
  "method" in event && event.method === "session/update" ? [event.params.update] : []

const isChunk = ({ sessionUpdate }: SessionUpdate): boolean =>
  sessionUpdate === "agent_message_chunk" || sessionUpdate === "agent_thought_chunk"

/** An agent whose messages have ids. codex-acp's do, and it says other things without: it is known by its status. */
const namesMessages = (update: SessionUpdate): boolean =>
  (update.sessionUpdate === "agent_message_chunk" && nonEmptyTextIn(update["messageId"]) !== null) ||
  at(update, "_meta", "codex") !== undefined

/** `true`: complete; `false`: cut off; `undefined`: nothing is said. */
const markOf = (chunk: SessionUpdate): unknown => objectIn(chunk["_meta"])["troupe/completed"]

const endsWell = (end: ResultMessage): boolean => "result" in end && at(end, "result", "stopReason") !== "cancelled"

/** Where the turn's own thread is heard, others are not: sub-agents may share the connection. */
const ofThread = <A extends AcpMessage>(turn: TurnRecord, events: ReadonlyArray<A>): ReadonlyArray<A> => {
  const isOurs = (event: A) => "method" in event && objectIn(event.params)["sessionId"] === turn.threadId
  if (turn.threadId === null || !events.some(isOurs)) return events
  return events.filter((event) => !("method" in event) || isOurs(event))
}
