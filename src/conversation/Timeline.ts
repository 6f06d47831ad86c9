/**
 * Reads a turn's events as a timeline: texts, thoughts, tool calls and notes, each once, in the order in which they began.
 *
 * Chunks become texts and thoughts, updates become tool calls. Whether a text is complete is known in one of two ways:
 * codex marks it (`_meta["troupe/completed"]`); any other agent's text is complete when something follows it or the turn
 * ends well, also where the text, or its rest, comes after that end. Never throws: the events may be of any agent, of a part of a turn, or in an order that no agent sends.
 */
import { isAgentMessage, subagentKind } from "../domain/Acp.ts"
import type { AcpMessage, ResultMessage, SessionUpdate } from "../domain/Acp.ts"
import type { TurnRecord } from "../domain/Turn.ts"
import { at, listIn, nonEmptyTextIn, objectIn, textIn } from "../domain/json.ts"
import type { ToolCall } from "../domain/ToolCall.ts"
import { contentText, joined } from "./contentText.ts"
import { isOfSubagent, isToolUpdate, ToolCalls } from "./ToolCalls.ts"

export interface TextEntry {
  readonly _tag: "Text" | "Thought"
  readonly id: string | null
  /** It began after the turn's end: Claude writes when a command in the background is done. */
  readonly late: boolean
  text: string
  /** Its last piece is text, which the next piece continues. */
  endsInText: boolean
  complete: boolean
  /** A comment before the answer, as codex marks it. */
  commentary: boolean
}

export type TimelineEntry =
  | TextEntry
  | { readonly _tag: "Tool"; readonly tool: ToolCall }
  /** A person's words that were added to the running turn. */
  | { readonly _tag: "Steering"; readonly text: string }
  | { readonly _tag: "Note"; readonly kind: string; readonly payload: unknown }

export interface Timeline {
  readonly entries: ReadonlyArray<TimelineEntry>
  /** The turn has ended. What is open now stays open, except a command that outlives its turn. */
  readonly over: boolean
  /** The agent marks its complete texts. */
  readonly marked: boolean
  /** The agent made room in its context. */
  readonly compacted: boolean
}

/** Updates of a session that are no part of the conversation. Any other unknown kind becomes a note. */
const ignoredKinds: ReadonlySet<string> = new Set([
  "user_message_chunk",
  "usage_update",
  "session_info_update",
  "available_commands_update",
  "current_mode_update",
  "config_option_update",
  "notice",
  subagentKind
])

/** The limit of notes in one turn, so that an agent that sends unknown kinds does not fill the transcript with them. */
const maxNotes = 100

export const read = (turn: TurnRecord, stored: ReadonlyArray<AcpMessage>): Timeline => {
  const events = ofThread(turn, stored.filter(isAgentMessage))
  const updates = events.flatMap(updateOf)
  const marked = updates.some((update) => isChunk(update) && markOf(update) !== undefined)
  const hasMessageIds = updates.some(namesMessages)

  const entries = new Set<TimelineEntry>()
  const tools = new ToolCalls((tool) => entries.add({ _tag: "Tool", tool }))
  /** Texts and thoughts to which a chunk can still add, by kind and id. */
  const openTexts = new Map<string, TextEntry>()
  let current: TextEntry | null = null
  /** The payloads of notes on updates of kinds that are not known here. */
  const unknownKinds = new Map<string, Record<string, unknown>>()
  /** The id of the text that the last steering cut off, and the entry that began with this id afterwards. */
  let cutOff: string | null = null
  let leftover: TextEntry | null = null
  let plan: TimelineEntry | null = null
  let over = turn.endedAt !== null
  let ended = false
  let endedWell = false
  /** A text without an id at which the turn ended. The text that comes next, if nothing comes between, is its rest. */
  let unfinished: TextEntry | null = null
  let compacted = false
  let notes = 0

  /** The current text is complete: something else follows, or the turn ended well. */
  const close = () => {
    if (current !== null && !marked) current.complete = true
    current = null
  }

  const onChunk = (chunk: SessionUpdate) => {
    const _tag = chunk.sessionUpdate === "agent_message_chunk" ? "Text" : "Thought"
    const id = nonEmptyTextIn(chunk["messageId"])
    // Where the model's messages have ids, a text without one is the adapter's own: a warning, or why the turn failed.
    if (_tag === "Text" && id === null && hasMessageIds) return
    const key = `${_tag} ${id ?? ""}`
    // Without ids, a thought between two chunks separates two texts.
    let entry = id === null && (current?._tag !== _tag || current.id !== null) ? undefined : openTexts.get(key)
    if (entry === undefined && id === null && unfinished?._tag === _tag) entry = unfinished
    unfinished = null
    if (entry === undefined) {
      // What an agent says after a good end may be followed by nothing, so it counts as it stands.
      entry = { _tag, id, late: ended, text: "", endsInText: true, complete: endedWell && !marked, commentary: false }
      openTexts.set(key, entry)
      entries.add(entry)
      if (id !== null && id === cutOff) leftover = entry
    }
    // Chunks of the text that was cut off can come behind the steering. A chunk of another message shows that they were
    // no message of their own.
    if (current !== null && current === leftover && id !== current.id) current = null
    if (entry !== current) close()
    current = entry
    const { isText, text } = joined({ text: entry.text, isText: entry.endsInText }, contentText(chunk["content"]))
    entry.text = text
    entry.endsInText = isText
    if (markOf(chunk) === true) entry.complete = true
    if (objectIn(chunk["_meta"])["troupe/phase"] === "commentary") entry.commentary = true
  }

  const onToolCall = (update: SessionUpdate) => {
    if (tools.merge(update) === null) return
    unfinished = null
    if (update.sessionUpdate === "tool_call") {
      close()
      // A text after a call is another message, whatever its id. Where texts are marked, ids can be trusted.
      if (!marked) openTexts.clear()
    }
  }

  const note = (kind: string, payload: unknown): TimelineEntry => {
    close()
    unfinished = null
    const entry: TimelineEntry = { _tag: "Note", kind, payload }
    if (notes++ < maxNotes) entries.add(entry)
    return entry
  }

  /**
   * One note for each kind, with the fields of its first update: an agent may send such updates in pieces. They may come
   * within a text, so they end none.
   */
  const onUnknown = ({ sessionUpdate: kind, ...payload }: SessionUpdate) => {
    const first = unknownKinds.get(kind)
    if (first !== undefined) {
      const [text, more] = [first, payload].map((fields) => textIn(at(fields, "content", "text")))
      if (typeof text === "string" && typeof more === "string") first["content"] = { type: "text", text: text + more }
      first["updates"] = Number(first["updates"] ?? 1) + 1
      return
    }
    const noted: Record<string, unknown> = { ...payload }
    unknownKinds.set(kind, noted)
    if (notes++ < maxNotes) entries.add({ _tag: "Note", kind, payload: noted })
  }

  const onUpdate = (update: SessionUpdate) => {
    if (isOfSubagent(update)) return
    const kind = update.sessionUpdate
    if (isChunk(update)) return onChunk(update)
    if (isToolUpdate(update)) return onToolCall(update)
    if (kind === "plan") {
      // A plan replaces the one before it, so only the last is left.
      if (plan !== null && entries.delete(plan)) notes--
      plan = note(kind, { entries: listIn(update["entries"]) })
      return
    }
    if (kind === "user_message_chunk" && at(update, "_meta", "troupe/steered") === true) {
      // Steering cuts the current text off, and the next chunk begins another message.
      if (current !== null) cutOff = current.id
      current = null
      if (!marked) openTexts.clear()
      entries.add({ _tag: "Steering", text: textIn(at(update, "content", "text")) ?? "" })
      return
    }
    if (!ignoredKinds.has(kind)) return onUnknown(update)
    const item = at(update, "_meta", "troupe/item")
    if (item !== undefined) note(nonEmptyTextIn(at(item, "type")) ?? "item", at(item, "payload"))
    if (at(update, "_meta", "troupe/compaction") === "completed") compacted = true
    // claude-agent-acp reports the cost when a run of the model is over, cancelled or not. Within a turn its end is decisive.
    if (ended && kind === "usage_update" && update["cost"] !== undefined) close()
  }

  for (const event of events) {
    if ("method" in event) onUpdate(event.params.update)
    else {
      const lastText = current as TextEntry | null
      if (lastText?.id === null) unfinished = lastText
      endedWell = endsWell(event)
      if (endedWell) close()
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

/** The agent's messages have ids. codex-acp, recognized by its status, has ids for messages and none for other texts. */
const namesMessages = (update: SessionUpdate): boolean =>
  (update.sessionUpdate === "agent_message_chunk" && nonEmptyTextIn(update["messageId"]) !== null) ||
  at(update, "_meta", "codex") !== undefined

/** `true`: complete; `false`: cut off; `undefined`: not marked. */
const markOf = (chunk: SessionUpdate): unknown => objectIn(chunk["_meta"])["troupe/completed"]

const endsWell = (end: ResultMessage): boolean => "result" in end && at(end, "result", "stopReason") !== "cancelled"

/** Where events of the turn's own thread exist, those of other threads are left out: sub-agents share the connection. */
const ofThread = <A extends AcpMessage>(turn: TurnRecord, events: ReadonlyArray<A>): ReadonlyArray<A> => {
  const isOurs = (event: A) => "method" in event && objectIn(event.params)["sessionId"] === turn.threadId
  if (turn.threadId === null || !events.some(isOurs)) return events
  return events.filter((event) => !("method" in event) || isOurs(event))
}
