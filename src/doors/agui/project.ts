/**
 * A turn's stored events as those of the protocol. Pure, and the same for the same events: a run that is posted again, and every
 * client of it, gets the same ids in the same order.
 */
import { contentText } from "../../conversation/contentText.ts"
import { shapeOf } from "../../conversation/toolMessages.ts"
import type { SessionUpdate } from "../../domain/Acp.ts"
import type { StreamedMessage } from "../../domain/events/StreamedMessage.ts"
import type { TroupeParams } from "../../domain/events/troupeMessage.ts"
import { nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import * as ToolCall from "../../domain/ToolCall.ts"
import { bareId } from "../bareId.ts"
import { interruptOf } from "./interrupts.ts"

export interface RunEvent {
  readonly type: string
  readonly [key: string]: unknown
}

export interface Place {
  readonly session: string
  readonly turn: number
}

export type TurnEnd = Extract<TroupeParams["turn"], { readonly phase: "ended" }>

/** What a message of the turn becomes. */
export interface Projected {
  readonly events: ReadonlyArray<RunEvent>
  /** Somebody is asked: a run stops here, with everything closed that it has begun. */
  readonly asked?: { readonly approval: string; readonly interrupt: JsonObject }
  readonly settled?: TroupeParams["approval_settled"]
  readonly ended?: TurnEnd
}

interface OpenText {
  readonly kind: Kind
  readonly id: string
  /** The agent's own id of the message; chunks of another one are another message. */
  readonly source: string | null
}

type Kind = "assistant" | "user" | "reasoning"

interface KnownTool {
  readonly call: ToolCall.ToolCall
  /** Under which the client was shown it; `null`: it was not yet. */
  shown: string | null
  isOver: boolean
}

export const project = ({ session, turn }: Place): ((message: StreamedMessage) => Projected) => {
  const tools = new Map<string, KnownTool>()
  let open: OpenText | null = null
  let ids = 0

  const nextId = (prefix: string) => `${prefix}_${bareId(session)}_${turn}_${++ids}`

  const closeText = (): ReadonlyArray<RunEvent> => {
    const closed = open
    open = null
    return closed === null ? [] : endOf(closed)
  }

  const append = (kind: Kind, source: string | null, delta: string): ReadonlyArray<RunEvent> => {
    if (delta === "") return []
    const isSame = open !== null && open.kind === kind && (source === null || source === open.source)
    const before = isSame ? [] : closeText()
    if (isSame) return [contentOf(open!, delta)]
    const begun: OpenText = { kind, id: nextId(kind === "reasoning" ? "rs" : "msg"), source }
    open = begun
    return [...before, ...beginOf(begun), contentOf(begun, delta)]
  }

  /** A call's name and arguments, as they are known when it begins. What is no call of a tool has none. */
  const show = (tool: KnownTool): ReadonlyArray<RunEvent> => {
    const shape = shapeOf(tool.call)
    if (tool.shown !== null || shape._tag !== "Call") return []
    const before = closeText()
    const toolCallId = nextId("call")
    tool.shown = toolCallId
    return [
      ...before,
      { type: "TOOL_CALL_START", toolCallId, toolCallName: shape.name },
      { type: "TOOL_CALL_ARGS", toolCallId, delta: shape.arguments },
      { type: "TOOL_CALL_END", toolCallId }
    ]
  }

  const resultOf = (tool: KnownTool): ReadonlyArray<RunEvent> => {
    const shape = shapeOf(tool.call)
    tool.isOver = true
    const shown = show(tool)
    if (tool.shown !== null) {
      const content = shape._tag === "Call" ? shape.content : ToolCall.outputOf(tool.call)
      const result = {
        type: "TOOL_CALL_RESULT",
        messageId: nextId("res"),
        toolCallId: tool.shown,
        content,
        role: "tool"
      }
      return [...shown, ...closeText(), result]
    }
    // A search or a sub-agent of the agent's own.
    return shape._tag !== "Note"
      ? []
      : [
          ...closeText(),
          activity(nextId("act"), shape.kind, { title: tool.call.title ?? shape.kind, payload: shape.payload })
        ]
  }

  const takeTool = (update: SessionUpdate): ReadonlyArray<RunEvent> => {
    const id = nonEmptyTextIn(update["toolCallId"])
    if (id === null) return []
    const tool = tools.get(id) ?? { call: ToolCall.begin(id), shown: null, isOver: false }
    tools.set(id, tool)
    ToolCall.merge(tool.call, update)
    if (tool.isOver) return []
    if (ToolCall.ended(tool.call)) return resultOf(tool)
    return hasBegun(tool.call) ? show(tool) : []
  }

  const takeUpdate = (update: SessionUpdate): ReadonlyArray<RunEvent> => {
    const source = nonEmptyTextIn(update["messageId"])
    switch (update.sessionUpdate) {
      case "agent_message_chunk":
        return append("assistant", source, contentText(update["content"]).text)
      case "agent_thought_chunk":
        return append("reasoning", source, contentText(update["content"]).text)
      // Words that somebody has added to the turn that runs.
      case "user_message_chunk":
        return append("user", source, contentText(update["content"]).text)
      case "tool_call":
      case "tool_call_update":
        return takeTool(update)
      case "plan":
        return [activity(`plan_${bareId(session)}_${turn}`, "PLAN", { entries: update["entries"] ?? [] })]
      case "usage_update": {
        const { _meta: _, sessionUpdate: name, ...value } = update as JsonObject
        return [{ type: "CUSTOM", name, value }]
      }
      default:
        return []
    }
  }

  const ask = (params: TroupeParams["approval_asked"]): Projected => {
    const tool = params.tool_call_id === null ? undefined : tools.get(params.tool_call_id)
    const events = [...closeText(), ...(tool === undefined ? [] : show(tool))]
    const interrupt = interruptOf(params, turn, tool?.shown ?? null)
    return { events, asked: { approval: params.approval_id, interrupt } }
  }

  return (message) => {
    const params = objectIn((message as { readonly params?: unknown }).params)
    switch (message.method) {
      case "session/update":
        return { events: takeUpdate(objectIn(params["update"]) as SessionUpdate) }
      case "_troupe/approval_asked":
        return ask(params as TroupeParams["approval_asked"])
      case "_troupe/approval_settled":
        return { events: [], settled: params as TroupeParams["approval_settled"] }
      case "_troupe/turn": {
        if (params["phase"] !== "ended") return { events: [] }
        const unanswered = [...tools.values()].filter(({ isOver, shown }) => shown !== null && !isOver)
        return { events: [...closeText(), ...unanswered.flatMap(resultOf)], ended: params as TurnEnd }
      }
      case "_troupe/state":
        return { events: [] }
      default: {
        if (typeof message.method !== "string") return { events: [] }
        const { _meta: _, ...value } = params
        return { events: [{ type: "CUSTOM", name: message.method.replace(/^_/, ""), value }] }
      }
    }
  }
}

/** Before, a call may have neither its arguments nor its name. */
const hasBegun = ({ rawInput, status }: ToolCall.ToolCall): boolean =>
  status === "in_progress" || Object.keys(objectIn(rawInput)).length > 0

const activity = (messageId: string, activityType: string, content: JsonObject): RunEvent => ({
  type: "ACTIVITY_SNAPSHOT",
  messageId,
  activityType,
  content,
  replace: true
})

const beginOf = ({ id: messageId, kind }: OpenText): ReadonlyArray<RunEvent> =>
  kind === "reasoning"
    ? [
        { type: "REASONING_START", messageId },
        { type: "REASONING_MESSAGE_START", messageId, role: "reasoning" }
      ]
    : [{ type: "TEXT_MESSAGE_START", messageId, role: kind }]

const contentOf = ({ id: messageId, kind }: OpenText, delta: string): RunEvent => ({
  type: kind === "reasoning" ? "REASONING_MESSAGE_CONTENT" : "TEXT_MESSAGE_CONTENT",
  messageId,
  delta
})

const endOf = ({ id: messageId, kind }: OpenText): ReadonlyArray<RunEvent> =>
  kind === "reasoning"
    ? [
        { type: "REASONING_MESSAGE_END", messageId },
        { type: "REASONING_END", messageId }
      ]
    : [{ type: "TEXT_MESSAGE_END", messageId }]
