/** Agents, sessions and turns in the SDK's shapes: made of nothing but what is stored of them. */
import type { SessionInfo, StoredTurn } from "../../backend/Backend.ts"
import type { FailureClass, StopReason, TurnStatus, Usage } from "../../domain/Turn.ts"
import type { McpServerOrName } from "../../domain/McpServer.ts"
import { turnId } from "./ids.ts"
import type { Place } from "./ids.ts"
import { openedOf } from "./opened.ts"
import type {
  Agent,
  AgentSession,
  AgentTool,
  Environment,
  McpTransport,
  RequiredAction,
  SessionStatus,
  SessionTurnError,
  TokenUsage,
  Turn
} from "./sdk.ts"

const secondsOf = (millis: number) => Math.floor(millis / 1000)

/** What agents decide by themselves. */
const decidedByAgents = {
  multi_agent: { enabled: false, max_concurrent_subagents: null },
  service_tier: "auto"
} as const

/** An agent has no time of its creation, and no model that is known before it runs. */
export const agentOf = (id: string): Agent => ({
  id,
  object: "agent",
  name: id,
  model: id,
  created_at: 0,
  updated_at: 0,
  instructions: null,
  metadata: {},
  ...decidedByAgents,
  reasoning: { effort: null, summary: null },
  text: { format: { type: "text" }, verbosity: "medium" },
  tools: []
})

export const usageOf = (usage: Usage): TokenUsage => ({
  input_tokens: usage.inputTokens,
  input_tokens_details: { cached_tokens: usage.cachedInputTokens },
  output_tokens: usage.outputTokens,
  output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  total_tokens: usage.totalTokens
})

/** `isOpen`: it has a turn that has not ended, also one that waits in line. */
export const statusOf = (isOpen: boolean, actions: ReadonlyArray<RequiredAction>): SessionStatus =>
  actions.length > 0 ? "requires_action" : isOpen ? "in_progress" : "idle"

export const sessionOf = (
  view: SessionInfo,
  actions: ReadonlyArray<RequiredAction>,
  status: SessionStatus
): AgentSession => {
  const { metadata, schema } = openedOf(view)
  return {
    id: view.id,
    object: "agent.session",
    agent: {
      id: view.agent,
      name: view.agent,
      model: view.model ?? view.agent,
      instructions: null,
      ...decidedByAgents,
      // An agent's efforts are words of its own.
      reasoning: { effort: view.effort as AgentSession.Agent["reasoning"]["effort"], summary: null },
      text: { format: schema === null ? { type: "text" } : { type: "json_schema", schema }, verbosity: "medium" },
      tools: view.mcpServers.flatMap(toolOf)
    },
    created_at: secondsOf(view.createdAt),
    last_active_at: secondsOf(view.lastTurnAt ?? view.createdAt),
    environment: environmentOf(view),
    error: view.parked?.reason ?? null,
    metadata: { ...metadata },
    required_actions: [...actions],
    status,
    usage: usageOf(view.usage),
    vault_ids: []
  }
}

/** A session that came into being in another way has a directory, too. */
const environmentOf = (view: SessionInfo): Environment =>
  openedOf(view).environment === "none"
    ? { type: "none" }
    : {
        type: "self_hosted",
        id: `env_${view.id}`,
        capability_directories: [],
        // Nothing has to be connected: the agent works where Troupe runs.
        remote_url: "",
        workspace_directory: view.cwd
      }

const toolOf = (server: McpServerOrName): ReadonlyArray<AgentTool> => {
  if (typeof server === "string") return []
  const transport: McpTransport =
    "command" in server
      ? { type: "stdio", command: server.command, args: [...(server.args ?? [])], cwd: "", env_vars: [] }
      : { type: "http", server_url: server.url }
  return [
    {
      type: "mcp",
      server_label: server.name,
      transport,
      allowed_tools: null,
      connection_origin: "environment",
      credential_id: null,
      request_metadata: {},
      required: false
    }
  ]
}

/** A turn as it is stored, or as its events tell; times are milliseconds since 1970. */
export interface KnownTurn {
  readonly status: TurnStatus
  readonly isWaiting: boolean
  readonly submittedAt: number
  readonly startedAt: number | null
  readonly endedAt: number | null
  readonly stopReason: StopReason | null
  readonly error: string | null
  readonly errorClass: FailureClass | null
  readonly usage: Usage | null
}

export const turnOf = (place: Place, agent: string, known: KnownTurn): Turn => {
  const status = turnStatusOf(known)
  return {
    id: turnId(place),
    object: "agent.session.turn",
    agent_id: agent,
    session_id: place.session,
    subagent_id: null,
    created_at: secondsOf(known.submittedAt),
    started_at: known.startedAt === null ? null : secondsOf(known.startedAt),
    completed_at: known.endedAt === null ? null : secondsOf(known.endedAt),
    status,
    error: status === "failed" ? errorOf(known) : null,
    usage: known.usage === null ? null : usageOf(known.usage)
  }
}

export const storedTurnOf = (
  turn: StoredTurn,
  agent: string,
  { isWaiting, startedAt }: Pick<KnownTurn, "isWaiting" | "startedAt">
): Turn =>
  turnOf({ session: turn.sessionId, turn: turn.turnIndex }, agent, {
    ...turn,
    isWaiting,
    startedAt,
    usage: turn.endedAt === null ? null : turn.usage
  })

const turnStatusOf = ({ isWaiting, status, stopReason }: KnownTurn): Turn["status"] => {
  switch (status) {
    case "queued":
      return "queued"
    case "running":
      return isWaiting ? "waiting" : "in_progress"
    case "completed":
      return stopReason === "max_tokens" ? "failed" : "completed"
    case "interrupted":
      return "cancelled"
    case "failed":
    case "timed_out":
      return "failed"
  }
}

const codes: Readonly<Record<FailureClass, SessionTurnError["code"]>> = {
  auth: "authentication_error",
  quota: "usage_limit_exceeded",
  config: "invalid_request",
  model: "server_error",
  conversation: "invalid_request",
  crash: "sandbox_error",
  protocol: "internal_error",
  timeout: "request_timeout",
  limit: "sandbox_error",
  not_delivered: "connection_failed",
  outcome_unknown: "internal_error",
  pool_full: "server_overloaded",
  interrupted: "internal_error"
}

const tooLong: SessionTurnError = {
  code: "max_output_tokens",
  message: "The agent's model reached its limit of output tokens before it was done. Ask it to go on."
}

/** OpenAI's codes are its own: Troupe's class is the first word of the message. */
const errorOf = ({ error, errorClass, status }: KnownTurn): SessionTurnError =>
  status === "completed"
    ? tooLong
    : { code: errorClass === null ? "internal_error" : codes[errorClass], message: error ?? "The turn failed." }
