/**
 * A turn's stored events as the SDK's items and events. Pure, and the same for the same events: an item's id is its place among
 * the items of its turn, so that what is streamed is what is listed later, for every reader.
 */
import { contentText } from "../../conversation/contentText.ts"
import type { SessionUpdate } from "../../domain/Acp.ts"
import type { StreamedEvent } from "../../domain/events/StreamedMessage.ts"
import type { TroupeParams } from "../../domain/events/troupeMessage.ts"
import { objectIn, textIn } from "../../domain/json.ts"
import { foldAsked } from "./foldAsked.ts"
import { foldTexts } from "./foldTexts.ts"
import { foldTools } from "./foldTools.ts"
import { itemId } from "./ids.ts"
import type { Place } from "./ids.ts"
import { itemList } from "./itemList.ts"
import type { ItemList } from "./itemList.ts"
import type { Asked } from "./requiredActions.ts"
import type { AgentSessionItem, AgentSessionMessageContent, Turn, UnnamedEvent } from "./sdk.ts"
import { turnOf } from "./shapes.ts"
import type { KnownTurn } from "./shapes.ts"

type Events = ReadonlyArray<UnnamedEvent>
type Submitted = Extract<TroupeParams["turn"], { readonly phase: "submitted" }>
type Ended = Extract<TroupeParams["turn"], { readonly phase: "ended" }>

export interface TurnFold {
  /** The events that a stored one becomes. */
  readonly take: (event: StreamedEvent) => Events
  readonly items: () => ReadonlyArray<AgentSessionItem>
  /** What waits for the client. */
  readonly asked: () => ReadonlyArray<Asked>
  readonly isOpen: () => boolean
}

export const foldTurn = (place: Place, agent: string): TurnFold => {
  const list = itemList(place)
  const texts = foldTexts(list)
  const tools = foldTools(list, agent, () => texts.close("called"))
  const asked = foldAsked(list)
  let known: KnownTurn = unknown
  let phase: "none" | "open" | "over" = "none"

  const turn = (): Turn => turnOf(place, agent, { ...known, isWaiting: asked.waiting().length > 0 })

  const takeTurn = (params: TroupeParams["turn"]): Events => {
    const millis = params.at * 1000
    switch (params.phase) {
      case "submitted": {
        phase = "open"
        known = { ...unknown, status: params.queued ? "queued" : "running", submittedAt: millis }
        const created: UnnamedEvent = { type: "agent.session.turn.created", ...list.at, turn: turn() }
        return params.kind === "prompt" ? [created, addMessage(list, contentOf(params))] : [created]
      }
      case "started":
        known = { ...known, status: "running", startedAt: millis }
        return [{ type: "agent.session.turn.in_progress", ...list.at, turn: turn() }]
      case "ended": {
        phase = "over"
        known = endedTurn(known, params, millis)
        const left = [
          ...texts.close(params.status === "completed" ? "completed" : "cut off"),
          ...tools.end(millis),
          ...asked.end()
        ]
        return [...left, ...endOf(turn(), list.at)]
      }
    }
  }

  const takeUpdate = (update: SessionUpdate, now: number): Events => {
    switch (update.sessionUpdate) {
      case "agent_message_chunk":
        return texts.append("message", update)
      case "agent_thought_chunk":
        return texts.append("reasoning", update)
      case "tool_call":
      case "tool_call_update":
        return tools.take(update, now)
      case "user_message_chunk": {
        // Others repeat what the turn was submitted with.
        if (objectIn(update["_meta"])["troupe/steered"] !== true) return []
        const { text } = contentText(update["content"])
        return [...texts.close("followed"), addMessage(list, [{ type: "input_text", text }])]
      }
      default:
        return []
    }
  }

  return {
    take: ({ at: now, message }) => {
      if (message.method === "_troupe/turn") return takeTurn(message.params as unknown as TroupeParams["turn"])
      // What comes after a turn's end is in no answer of it.
      if (phase !== "open") return []
      switch (message.method) {
        case "session/update":
          return takeUpdate(objectIn(objectIn(message.params)["update"]) as SessionUpdate, now)
        case "_troupe/approval_asked":
          return [...texts.close("called"), ...asked.ask(message.params as unknown as TroupeParams["approval_asked"])]
        case "_troupe/approval_settled":
          return asked.settle(message.params as unknown as TroupeParams["approval_settled"])
        default:
          return []
      }
    },
    items: () => list.items,
    asked: asked.waiting,
    isOpen: () => phase === "open"
  }
}

const unknown: KnownTurn = {
  status: "running",
  isWaiting: false,
  submittedAt: 0,
  startedAt: null,
  endedAt: null,
  stopReason: null,
  error: null,
  errorClass: null,
  usage: null
}

const endedTurn = (known: KnownTurn, params: Ended, endedAt: number): KnownTurn => {
  const { error, error_class, status, stop_reason, usage } = params
  return {
    ...known,
    status,
    endedAt,
    error,
    errorClass: error_class,
    stopReason: stop_reason,
    usage: {
      inputTokens: usage.input_tokens,
      cachedInputTokens: usage.cached_input_tokens,
      outputTokens: usage.output_tokens,
      reasoningTokens: usage.reasoning_tokens,
      totalTokens: usage.total_tokens
    }
  }
}

const addMessage = (list: ItemList, content: ReadonlyArray<AgentSessionMessageContent>): UnnamedEvent =>
  list.add({
    type: "message",
    id: itemId("msg", list.place, list.next()),
    turn_id: list.at.turn_id,
    role: "user",
    status: "completed",
    phase: null,
    content: [...content]
  })

/** The prompt's text, and its images by the addresses of their files on the server. */
const contentOf = ({ content, prompt }: Submitted): ReadonlyArray<AgentSessionMessageContent> =>
  (content ?? [{ type: "text" as const, text: prompt }]).map((block) => {
    if (block.type === "image") return { type: "input_image", image_url: block.uri }
    return { type: "input_text", text: textIn(objectIn(block)["text"]) ?? contentText(block).text }
  })

const endOf = (turn: Turn, at: ItemList["at"]): Events => {
  const { error, status, usage } = turn
  if (status === "completed") return [{ type: "agent.session.turn.completed", ...at, turn, usage }]
  if (status === "cancelled") return [{ type: "agent.session.turn.cancelled", ...at, turn, usage }]
  const { code = "internal_error", message = "The turn failed." } = error ?? {}
  return [
    { type: "error", session_id: at.session_id, error: { code, message, param: null, type: "server_error" } },
    { type: "agent.session.turn.failed", ...at, turn, usage }
  ]
}
