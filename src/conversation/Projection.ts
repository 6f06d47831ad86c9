/**
 * Projects a turn's events to messages of a conversation, in OpenAI's shape: the prompt, then what the agent said and did.
 *
 * Only a complete text becomes a message, in the place where it began. The same events always give the same messages with
 * the same tool call ids; a command that ends after its turn changes its result and moves no message. The messages are
 * always well formed: each tool message answers the call right before it.
 */
import { hash } from "node:crypto"
import type { AcpMessage } from "../domain/Acp.ts"
import { saysAborted } from "../domain/Turn.ts"
import type { Message, TurnRecord } from "../domain/Turn.ts"
import { clipped, boundedJson } from "../domain/boundedJson.ts"
import * as Timeline from "./Timeline.ts"
import type { TimelineEntry, TextEntry } from "./Timeline.ts"
import * as ToolCall from "../domain/ToolCall.ts"
import { shapeOf } from "./toolMessages.ts"

export interface Projection {
  /** The messages of this turn only. */
  readonly messages: ReadonlyArray<Message>
  /** The last agent message that began before the turn's end and is complete; else the last later one; else empty. */
  readonly finalText: string
  /** The text of the last agent message, if that was cut off. It is in no message. */
  readonly cutOff: string
  /** The agent's answer is complete and nothing began after it: only the turn's end is missing. */
  readonly answered: boolean
  /** The number of tool calls that have ended. */
  readonly toolIterations: number
  /** The agent's text says that its turn was aborted, which the turn's end may not say. */
  readonly aborted: boolean
  /** The agent made room in its context during this turn. */
  readonly compacted: boolean
}

/** Between thoughts that came before the same message. */
const thoughtSeparator = "\n\n"

export const project = (turn: TurnRecord, events: ReadonlyArray<AcpMessage>): Projection => {
  const timeline = Timeline.read(turn, events)
  const entries = timeline.marked
    ? timeline.entries
    : timeline.entries.filter((entry, nth) => !isRetried(timeline.entries, entry, nth))
  // A compaction has no prompt.
  const messages: Array<Message> = turn.kind === "prompt" ? [{ role: "user", content: turn.prompt }] : []
  let thoughts: Array<string> = []
  let toolIterations = 0
  let compacted = timeline.compacted

  const addAssistant = (message: Omit<Message, "role" | "reasoning">) => {
    const reasoning = thoughts.length > 0 ? { reasoning: thoughts.join(thoughtSeparator) } : {}
    thoughts = []
    messages.push({ role: "assistant", ...message, ...reasoning })
  }
  const addNote = (kind: string, payload: string) => addAssistant({ content: `[${kind}] ${payload}` })

  const addTool = (tool: ToolCall.ToolCall) => {
    if (!tool.called || (!ToolCall.ended(tool) && !timeline.over)) return
    const shape = shapeOf(tool)
    switch (shape._tag) {
      case "Note":
        return addNote(shape.kind, shape.payload)
      case "Compaction":
        compacted ||= tool.status === "completed"
        return
      case "Call": {
        if (ToolCall.ended(tool)) toolIterations++
        const id = callId(tool.id)
        const { arguments: args, name } = shape
        addAssistant({ content: null, tool_calls: [{ id, type: "function", function: { name, arguments: args } }] })
        messages.push({ role: "tool", tool_call_id: id, content: shape.content })
        return
      }
      default:
        return shape satisfies never
    }
  }

  for (const entry of entries) {
    switch (entry._tag) {
      case "Thought":
        if (entry.complete && entry.text.trim() !== "") thoughts.push(entry.text.trim())
        break
      case "Text": {
        const content = withoutMarker(entry)
        if (isWhole(entry) && content !== "") addAssistant({ content })
        break
      }
      case "Steering":
        messages.push({ role: "user", content: entry.text })
        break
      case "Tool":
        addTool(entry.tool)
        break
      case "Note":
        addNote(entry.kind, typeof entry.payload === "string" ? clipped(entry.payload) : boundedJson(entry.payload))
        break
      default:
        entry satisfies never
    }
  }

  const allTexts = entries.filter((entry) => entry._tag === "Text") as ReadonlyArray<TextEntry>
  const texts = allTexts.filter(({ late }) => !late)
  const last = texts.at(-1)
  const cutOff = last === undefined || isWhole(last) ? "" : last.text
  return {
    messages,
    finalText: lastWhole(texts) ?? (cutOff === "" ? lastWhole(allTexts) : null) ?? "",
    cutOff,
    answered: last?.complete === true && !last.commentary && entries.findLast(({ _tag }) => _tag !== "Note") === last,
    toolIterations,
    aborted: texts.some(({ text }) => saysAborted(text)),
    compacted
  }
}

const lastWhole = (texts: ReadonlyArray<TextEntry>): string | null =>
  texts.map((entry) => (isWhole(entry) ? withoutMarker(entry) : "")).findLast((text) => text !== "") ?? null

/** A text that says that its turn was aborted is the last of the turn, and counts as complete. */
const isWhole = ({ complete, text }: TextEntry): boolean => complete || saysAborted(text)

/** The text without the abort marker, which is meant for programs. */
const withoutMarker = ({ text }: TextEntry): string => (saysAborted(text) ? text.replace(markers, "").trim() : text)

const markers = /<turn_aborted\b[^>]*>(?:[\s\S]*?<\/turn_aborted>)?/g

/** How many attempts at one answer are compared; Claude gives up after ten. */
const maxAttempts = 16

/**
 * Whether an entry is an attempt that was repeated. After a cut stream claude-agent-acp sends the whole text again under
 * a new id, and does not mark the first attempt as cut (seen with 0.100). So a text that is a prefix of the next one is
 * taken for such an attempt.
 */
const isRetried = (entries: ReadonlyArray<TimelineEntry>, entry: TimelineEntry, nth: number): boolean => {
  if (entry._tag !== "Text" && entry._tag !== "Thought") return false
  for (const next of entries.slice(nth + 1, nth + 1 + maxAttempts)) {
    if (next._tag !== "Text" && next._tag !== "Thought") return false
    if (next._tag === entry._tag && next.text.startsWith(entry.text) && next.late === entry.late) return true
  }
  return false
}

/**
 * The id of a call: the item's own where OpenAI accepts it (at most 40 of its characters), else a hash of it, so that the
 * same history projects to the same ids.
 */
const callId = (itemId: string): string =>
  /^[A-Za-z0-9_-]{1,40}$/.test(itemId) ? itemId : `call_${hash("sha256", itemId, "hex").slice(0, 32)}`
