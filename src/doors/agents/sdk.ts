/** The SDK's types that more than one file of this door has: its shapes are ours, and what it adds does not compile here. */
import type { Agents, AgentSession, AgentSessionEvent } from "openai/resources/beta/agents/agents"

export type {
  Agent,
  AgentCommandExecutionItem,
  AgentFunctionCallItem,
  AgentFunctionCallStatus,
  AgentMcpCallItem,
  AgentOutputItem,
  AgentOutputItemStatus,
  AgentReasoningItem,
  AgentSession,
  AgentSessionAssistantMessage,
  AgentSessionDeleted,
  AgentSessionEvent,
  AgentSessionInputParam,
  AgentSessionItem,
  AgentSessionMessageContent,
  AgentTool,
  AgentToolParam,
  AgentWebSearchCallItem,
  Environment,
  McpTransport,
  SessionTurnError,
  TokenUsage
} from "openai/resources/beta/agents/agents"
export type { Turn } from "openai/resources/beta/agents/sessions/turns/turns"

export type RequiredAction = AgentSession["required_actions"][number]
export type SessionStatus = Exclude<AgentSession["status"], "failed">

type WithoutId<Event> = Event extends unknown ? Omit<Event, "event_id"> : never
/** An event before it has its id. */
export type UnnamedEvent = WithoutId<AgentSessionEvent>

/** Where the SDK calls an operation, or a helper of its own that calls others. */
type IsMethod<Member> = Member extends (...args: never) => unknown ? true : false

/** For each method of each of the SDK's resources of agents: what `Operation` says. It does not compile where one is missing. */
export type OperationsOf<Operation, Resource = Agents> = {
  readonly [Name in keyof Resource]: IsMethod<Resource[Name]> extends true
    ? Operation
    : OperationsOf<Operation, Resource[Name]>
}
