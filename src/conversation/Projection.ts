/**
 * A turn's events as messages of a conversation, in OpenAI's shape: the prompt, then what the agent said and did.
 *
 * Only what is complete becomes a message, in the place where it began. The same events give the same messages with the
 * same tool call ids every time; a command that ends after its turn changes its result and moves nothing. Messages are
 * always well formed: each tool message answers the call right before it.
 */
import { createHash } from "node:crypto"
import type { AcpMessage } from "../domain/Acp.ts"
import { saysAborted } from "../domain/Turn.ts"
import type { Message, TurnRecord } from "../domain/Turn.ts"
import { clipped, boundedJson } from "../domain/boundedJson.ts"
import * as Timeline from "./Timeline.ts"
import type { TimelineEntry, TextEntry } from "./Timeline.ts"
import * as ToolCall from "../domain/ToolCall.ts"
import { shapeOf } from "./toolMessages.ts"

export interface Projection {
  /** Those of this turn only. */
  readonly messages: ReadonlyArray<Message>
  /** The last agent message that was complete when the turn ended; empty where there is none. */
  readonly finalText: string
  /** What was heard of an agent message that was cut off, if that was the last one. No message, but told. */
  readonly cutOff: string
  /** The agent's answer stands complete and nothing was begun after it: all that is missing is the turn's end. */
  readonly answered: boolean
  /** Tool calls that came to an end. */
  readonly toolIterations: number
  /** The agent's text says that its turn was aborted, whatever its end says. */
  readonly aborted: boolean
  /** The agent made room in its context during this turn. */
  readonly compacted: boolean
}

/** Between thoughts that came before the same message. */
const thoughtsApart = "\n\n"

export const project = (turn: TurnRecord, events: ReadonlyArray<AcpMessage>): Projection => {
  const timeline = Timeline.read(turn, events)
  const entries = timeline.marked
    ? timeline.entries
    : timeline.entries.filter((entry, nth) => !isRetried(timeline.entries, entry, nth))
  // A compaction is asked for by a command, not in words.
  const messages: Array<Message> = turn.kind === "prompt" ? [{ role: "user", content: turn.prompt }] : []
  let thoughts: Array<string> = []
  let toolIterations = 0
  let compacted = timeline.compacted

  const assistant = (message: Omit<Message, "role" | "reasoning">) => {
    const reasoning = thoughts.length > 0 ? { reasoning: thoughts.join(thoughtsApart) } : {}
    thoughts = []
    messages.push({ role: "assistant", ...message, ...reasoning })
  }
  const note = (kind: string, payload: string) => assistant({ content: `[${kind}] ${payload}` })

  const tool = (tool: ToolCall.ToolCall) => {
    if (!tool.called || (!ToolCall.ended(tool) && !timeline.over)) return
    const shape = shapeOf(tool)
    switch (shape._tag) {
      case "Note":
        return note(shape.kind, shape.payload)
      case "Compaction":
        compacted ||= tool.status === "completed"
        return
      case "Call": {
        if (ToolCall.ended(tool)) toolIterations++
        const id = callId(tool.id)
        const { arguments: args, name } = shape
        assistant({ content: null, tool_calls: [{ id, type: "function", function: { name, arguments: args } }] })
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
        const content = spoken(entry)
        if (isWhole(entry) && content !== "") assistant({ content })
        break
      }
      case "Steering":
        messages.push({ role: "user", content: entry.text })
        break
      case "Tool":
        tool(entry.tool)
        break
      case "Note":
        note(entry.kind, typeof entry.payload === "string" ? clipped(entry.payload) : boundedJson(entry.payload))
        break
      default:
        entry satisfies never
    }
  }

  const texts = entries.filter((entry) => entry._tag === "Text" && !entry.late) as ReadonlyArray<TextEntry>
  const last = texts.at(-1)
  return {
    messages,
    finalText: texts.map((words) => (isWhole(words) ? spoken(words) : "")).findLast((said) => said !== "") ?? "",
    cutOff: last === undefined || isWhole(last) ? "" : last.text,
    answered: last?.complete === true && !last.commentary && entries.findLast(({ _tag }) => _tag !== "Note") === last,
    toolIterations,
    aborted: texts.some(({ text: said }) => saysAborted(said)),
    compacted
  }
}

/** An agent that says of its turn that it was aborted has no more to say in it. */
const isWhole = ({ complete, text: said }: TextEntry): boolean => complete || saysAborted(said)

/** Without the marker of an abort, which is for programs to read. */
const spoken = ({ text: said }: TextEntry): string => (saysAborted(said) ? said.replace(aborts, "").trim() : said)

const aborts = /<turn_aborted\b[^>]*>(?:[\s\S]*?<\/turn_aborted>)?/g

/** Attempts at one answer that are looked at; Claude gives up after ten. */
const attempts = 16

/**
 * After a stream was cut claude-agent-acp says it all again under a new id, and of the first attempt nothing tells that
 * it was cut (seen with 0.100). So a text whose whole is the beginning of the next one was that.
 */
const isRetried = (entries: ReadonlyArray<TimelineEntry>, entry: TimelineEntry, nth: number): boolean => {
  if (entry._tag !== "Text" && entry._tag !== "Thought") return false
  for (const next of entries.slice(nth + 1, nth + 1 + attempts)) {
    if (next._tag !== "Text" && next._tag !== "Thought") return false
    if (next._tag === entry._tag && next.text.startsWith(entry.text) && next.late === entry.late) return true
  }
  return false
}

/**
 * The id of a call is its item's own where OpenAI takes it (at most 40 of its characters), else a hash of that: the same
 * history projects to the same ids.
 */
const callId = (itemId: string): string =>
  /^[A-Za-z0-9_-]{1,40}$/.test(itemId)
    ? itemId
    : `call_${createHash("sha256").update(itemId).digest("hex").slice(0, 32)}`
