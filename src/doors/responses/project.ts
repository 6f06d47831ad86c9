/**
 * A turn's stored events as OpenAI's output items, and as the events of a stream. Pure, and the same for the same events: the
 * number of a stream's event is its place in the projection, so that a reader that comes back (`starting_after`) gets the
 * rest, and what is streamed is what is retrieved later.
 */
import type {
  ResponseFunctionToolCallItem,
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseReasoningItem
} from "openai/resources/responses/responses"
import { contentText } from "../../conversation/contentText.ts"
import { shapeOf } from "../../conversation/toolMessages.ts"
import { nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { StreamedMessage } from "../../domain/events/StreamedMessage.ts"
import type { TroupeParams } from "../../domain/events/troupeMessage.ts"
import type { SessionUpdate } from "../../domain/Acp.ts"
import * as ToolCall from "../../domain/ToolCall.ts"
import { approvalItem } from "./approvals.ts"
import { itemId } from "./ids.ts"
import type { Place } from "./ids.ts"

/** Of a stream, without its number. */
export interface ItemEvent {
  readonly type: string
  readonly [key: string]: unknown
}

export interface Projection {
  /** The events that a message of the turn becomes. */
  readonly take: (message: StreamedMessage) => ReadonlyArray<ItemEvent>
  /** Those of the turn's end: whatever is open is closed. `isWhole`: the agent has ended the turn itself. */
  readonly end: (isWhole: boolean) => ReadonlyArray<ItemEvent>
  readonly output: () => Array<ResponseOutputItem>
}

/** A text that grows: an answer, or a thought. */
interface OpenText {
  readonly kind: "message" | "reasoning"
  readonly id: string
  readonly index: number
  /** The agent's own id of the message; chunks of another one are another item. */
  readonly source: string | null
  text: string
}

type Status = "completed" | "in_progress" | "incomplete"

export const project = (place: Place): Projection => {
  const items: Array<ResponseOutputItem> = []
  const tools = new Map<string, ToolCall.ToolCall>()
  let open: OpenText | null = null

  const closeText = (status: Status = "completed"): Array<ItemEvent> => {
    if (open === null) return []
    const closed = open
    open = null
    const item = closed.kind === "message" ? messageItem(closed, status) : reasoningItem(closed, status)
    items[closed.index] = item
    return [...endOfText(closed), { type: "response.output_item.done", output_index: closed.index, item }]
  }

  const append = (kind: OpenText["kind"], source: string | null, text: string): Array<ItemEvent> => {
    if (text === "") return []
    const isSame = open !== null && open.kind === kind && (source === null || source === open.source)
    const before = isSame ? [] : [...closeText(), ...openText(kind, source)]
    const growing = open!
    growing.text += text
    items[growing.index] =
      growing.kind === "message" ? messageItem(growing, "in_progress") : reasoningItem(growing, "in_progress")
    return [...before, deltaOf(growing, text)]
  }

  const openText = (kind: OpenText["kind"], source: string | null): Array<ItemEvent> => {
    const index = items.length
    const text: OpenText = {
      kind,
      id: itemId(kind === "message" ? "msg" : "rs", place, index),
      index,
      source,
      text: ""
    }
    open = text
    const empty =
      kind === "message"
        ? { ...messageItem(text, "in_progress"), content: [] }
        : { ...reasoningItem(text, "in_progress"), summary: [] }
    items.push(empty)
    return [{ type: "response.output_item.added", output_index: index, item: empty }, beginOfText(text)]
  }

  /** A call is an item when it is over: only then are its arguments and its output whole. */
  const toolItems = (tool: ToolCall.ToolCall, status: "completed" | "incomplete"): Array<ItemEvent> => {
    const shape = shapeOf(tool)
    if (shape._tag !== "Call") return []
    const { arguments: args, content, name } = shape
    const before = closeText()
    const index = items.length
    const id = itemId("fc", place, index)
    const call = (done: boolean): ResponseFunctionToolCallItem => ({
      id,
      type: "function_call",
      call_id: tool.id,
      name,
      arguments: done ? args : "",
      status: done ? status : "in_progress"
    })
    items.push(call(true))
    const at = { item_id: id, output_index: index }
    const called: Array<ItemEvent> = [
      { type: "response.output_item.added", output_index: index, item: call(false) },
      { type: "response.function_call_arguments.delta", ...at, delta: args },
      { type: "response.function_call_arguments.done", ...at, name, arguments: args },
      { type: "response.output_item.done", output_index: index, item: call(true) }
    ]
    if (status === "incomplete") return [...before, ...called]
    const output: ResponseOutputItem = {
      id: itemId("fco", place, index + 1),
      type: "function_call_output",
      call_id: tool.id,
      output: content,
      status
    }
    items.push(output)
    return [
      ...before,
      ...called,
      { type: "response.output_item.added", output_index: index + 1, item: { ...output, status: "in_progress" } },
      { type: "response.output_item.done", output_index: index + 1, item: output }
    ]
  }

  const takeTool = (update: SessionUpdate): Array<ItemEvent> => {
    const id = nonEmptyTextIn(update["toolCallId"])
    if (id === null) return []
    const tool = tools.get(id) ?? ToolCall.begin(id)
    tools.set(id, tool)
    const wasOver = ToolCall.ended(tool)
    ToolCall.merge(tool, update)
    return !wasOver && ToolCall.ended(tool) ? toolItems(tool, "completed") : []
  }

  const ask = (params: TroupeParams["approval_asked"]): Array<ItemEvent> => {
    const before = closeText()
    const item: ResponseOutputItem = approvalItem(params)
    const at = { output_index: items.length, item }
    items.push(item)
    return [...before, { type: "response.output_item.added", ...at }, { type: "response.output_item.done", ...at }]
  }

  return {
    take: (message) => {
      if (message.method === "_troupe/approval_asked") return ask(message.params as TroupeParams["approval_asked"])
      if (message.method !== "session/update") return []
      const update = objectIn(objectIn(message.params)["update"]) as SessionUpdate
      const source = nonEmptyTextIn(update["messageId"])
      switch (update.sessionUpdate) {
        case "agent_message_chunk":
          return append("message", source, contentText(update["content"]).text)
        case "agent_thought_chunk":
          return append("reasoning", source, contentText(update["content"]).text)
        case "tool_call":
        case "tool_call_update":
          return takeTool(update)
        default:
          return []
      }
    },
    end: (isWhole) => [
      ...closeText(isWhole ? "completed" : "incomplete"),
      ...[...tools.values()].filter((tool) => !ToolCall.ended(tool)).flatMap((tool) => toolItems(tool, "incomplete"))
    ],
    output: () => [...items]
  }
}

const textPart = (text: string) => ({ type: "output_text" as const, text, annotations: [], logprobs: [] })

const messageItem = ({ id, text }: OpenText, status: Status): ResponseOutputMessage => ({
  id,
  type: "message",
  role: "assistant",
  status,
  content: [textPart(text)]
})

const reasoningItem = ({ id, text }: OpenText, status: Status): ResponseReasoningItem => ({
  id,
  type: "reasoning",
  status,
  summary: [{ type: "summary_text", text }]
})

const placeIn = ({ id, index, kind }: OpenText) =>
  kind === "message"
    ? { item_id: id, output_index: index, content_index: 0 }
    : { item_id: id, output_index: index, summary_index: 0 }

const beginOfText = (text: OpenText): ItemEvent =>
  text.kind === "message"
    ? { type: "response.content_part.added", ...placeIn(text), part: textPart("") }
    : { type: "response.reasoning_summary_part.added", ...placeIn(text), part: { type: "summary_text", text: "" } }

const deltaOf = (text: OpenText, delta: string): ItemEvent =>
  text.kind === "message"
    ? { type: "response.output_text.delta", ...placeIn(text), delta, logprobs: [] }
    : { type: "response.reasoning_summary_text.delta", ...placeIn(text), delta }

const endOfText = (text: OpenText): Array<ItemEvent> =>
  text.kind === "message"
    ? [
        { type: "response.output_text.done", ...placeIn(text), text: text.text, logprobs: [] },
        { type: "response.content_part.done", ...placeIn(text), part: textPart(text.text) }
      ]
    : [
        { type: "response.reasoning_summary_text.done", ...placeIn(text), text: text.text },
        {
          type: "response.reasoning_summary_part.done",
          ...placeIn(text),
          part: { type: "summary_text", text: text.text }
        }
      ]
