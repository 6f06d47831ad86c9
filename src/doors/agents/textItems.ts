/** A text that grows, an answer or a thought, as an item and as the events of its growth. */
import { itemId, turnId } from "./ids.ts"
import type { Place } from "./ids.ts"
import type { Spot } from "./itemList.ts"
import type { AgentOutputItemStatus, AgentReasoningItem, AgentSessionAssistantMessage, UnnamedEvent } from "./sdk.ts"

export interface OpenText extends Spot {
  readonly kind: "message" | "reasoning"
  readonly id: string
  readonly turn_id: string
  readonly session_id: string
  /** The agent's own id of the message; chunks of another one are another item. */
  readonly source: string | null
  text: string
  /** As the agent marks it. */
  phase: Phase
}

export type Phase = AgentSessionAssistantMessage["phase"]

/**
 * What closed it: the agent, which says that it is complete; a tool or a question that it goes on with; something else of its own;
 * or the end of its turn.
 */
export type Closed = "said" | "called" | "followed" | "completed" | "cut off"

export const begin = (
  kind: OpenText["kind"],
  source: string | null,
  { nth, output_index }: Spot,
  place: Place
): OpenText => ({
  kind,
  id: itemId(kind === "message" ? "msg" : "rs", place, nth),
  turn_id: turnId(place),
  session_id: place.session,
  nth,
  output_index,
  source,
  text: "",
  phase: null
})

type Item = AgentSessionAssistantMessage | AgentReasoningItem

/** `null`: it is still open. */
export const itemOf = (text: OpenText, closed: Closed | null): Item => {
  const status: AgentOutputItemStatus =
    closed === null ? "in_progress" : closed === "cut off" ? "incomplete" : "completed"
  return text.kind === "message"
    ? { ...messageOf(text, status, phaseOf(text, closed)), content: [{ type: "output_text", text: text.text }] }
    : { ...reasoningOf(text, status), summary: [{ type: "summary_text", text: text.text }] }
}

/** As it is announced. */
export const emptyOf = (text: OpenText): Item =>
  text.kind === "message" ? messageOf(text, "in_progress", null) : reasoningOf(text, "in_progress")

const messageOf = (
  { id, turn_id }: OpenText,
  status: AgentOutputItemStatus,
  phase: Phase
): AgentSessionAssistantMessage => ({ type: "message", id, turn_id, role: "assistant", status, phase, content: [] })

const reasoningOf = ({ id, turn_id }: OpenText, status: AgentOutputItemStatus): AgentReasoningItem => ({
  type: "reasoning",
  id,
  turn_id,
  status,
  summary: []
})

/** What an agent says before it calls a tool is not its answer. Where it marks its texts, they are what it says. */
const phaseOf = ({ phase }: OpenText, closed: Closed | null): Phase =>
  phase ?? (closed === "called" ? "commentary" : closed === "completed" ? "final_answer" : null)

const placeOf = ({ id, output_index, session_id, turn_id }: OpenText) => ({
  session_id,
  turn_id,
  item_id: id,
  output_index
})

export const beginOf = (text: OpenText): UnnamedEvent =>
  text.kind === "message"
    ? {
        type: "agent.session.turn.content_part.added",
        ...placeOf(text),
        content_index: 0,
        part: { type: "output_text", text: "" }
      }
    : {
        type: "agent.session.turn.reasoning_summary_part.added",
        ...placeOf(text),
        summary_index: 0,
        part: { type: "summary_text", text: "" }
      }

export const deltaOf = (text: OpenText, delta: string): UnnamedEvent =>
  text.kind === "message"
    ? { type: "agent.session.turn.output_text.delta", ...placeOf(text), content_index: 0, delta }
    : { type: "agent.session.turn.reasoning_summary_text.delta", ...placeOf(text), summary_index: 0, delta }

export const endOf = (text: OpenText, closed: Closed): ReadonlyArray<UnnamedEvent> => {
  const { text: whole } = text
  const at = placeOf(text)
  if (text.kind === "message") {
    return [
      { type: "agent.session.turn.output_text.done", ...at, content_index: 0, text: whole },
      {
        type: "agent.session.turn.content_part.done",
        ...at,
        content_index: 0,
        part: { type: "output_text", text: whole }
      }
    ]
  }
  return [
    { type: "agent.session.turn.reasoning_summary_text.done", ...at, summary_index: 0, text: whole },
    {
      type: "agent.session.turn.reasoning_summary_part.done",
      ...at,
      summary_index: 0,
      part: { type: "summary_text", text: whole },
      status: closed === "cut off" ? "incomplete" : null
    }
  ]
}
