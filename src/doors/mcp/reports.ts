/** Sessions, turns and approvals as the tools report them: bounded, and with what to call next. */
import type { SessionInfo, StoredTurn } from "../../backend/Backend.ts"
import type { ApprovalRecord } from "../../domain/Approval.ts"
import { cut } from "../../domain/cut.ts"
import { policyOf } from "../../domain/Permissions.ts"
import type { Message, Usage } from "../../domain/Turn.ts"
import type { ApprovalReport, SessionReport, TurnReport } from "./schemas.ts"

/** In characters: an answer has to fit into its host's context. */
const longestAnswer = 40_000
const longestMessage = 8_000
const longestError = 4_000
export const longestMessages = 60_000

const isoOf = (millis: number) => new Date(millis).toISOString()
const isoOrNull = (millis: number | null) => (millis === null ? null : isoOf(millis))

export const approvalReport = (approval: ApprovalRecord): ApprovalReport => ({
  approval_id: approval.id,
  kind: approval.kind,
  title: cut(approval.title, longestError),
  fields: approval.fields,
  status: approval.status,
  decision: approval.decision,
  deadline_at: isoOf(approval.deadlineAt)
})

export const usageReport = (usage: Usage) => ({
  input_tokens: usage.inputTokens,
  cached_input_tokens: usage.cachedInputTokens,
  output_tokens: usage.outputTokens,
  reasoning_tokens: usage.reasoningTokens,
  total_tokens: usage.totalTokens
})

export const sessionReport = (session: SessionInfo): SessionReport => ({
  session_id: session.id,
  agent: session.agent,
  state: session.state,
  turns: session.turnCount,
  cwd: session.cwd,
  model: session.model,
  permissions: policyOf(session.permissions),
  created_at: isoOf(session.createdAt),
  last_turn_at: isoOrNull(session.lastTurnAt),
  closed_at: isoOrNull(session.closedAt),
  parked: session.parked === null ? null : cut(session.parked.reason, longestError)
})

/** What was seen of a turn while it was waited for. */
export interface Seen {
  readonly approvals: ReadonlyArray<ApprovalRecord>
  readonly activity: ReadonlyArray<string>
  readonly cursor: number | null
}

export const nothingSeen: Seen = { approvals: [], activity: [], cursor: null }

export const turnReport = (agent: string, turn: StoredTurn, { activity, approvals, cursor }: Seen): TurnReport => {
  const { sessionId, turnIndex } = turn
  const done = turn.endedAt !== null
  const status = !done && approvals.length > 0 ? "needs_answer" : turn.status
  const recovered = turn.recovered?.finalText ?? ""
  const answer = recovered === "" ? turn.finalText : recovered
  return {
    session_id: sessionId,
    agent,
    turn: turnIndex,
    status,
    done,
    final_text: answer === "" ? null : cut(answer, longestAnswer),
    truncated: answer.length > longestAnswer,
    error: turn.error === null ? null : cut(turn.error, longestError),
    error_class: turn.errorClass,
    approvals: done ? [] : approvals.map(approvalReport),
    activity,
    cursor,
    usage: done ? usageReport(turn.usage) : null,
    next: nextOfTurn(turn, status, cursor)
  }
}

const nextOfTurn = (
  { sessionId, turnIndex }: StoredTurn,
  status: TurnReport["status"],
  cursor: number | null
): string => {
  const turn = `session_id ${sessionId}, turn ${turnIndex}`
  switch (status) {
    case "needs_answer":
      return `The agent waits for an answer: agent_answer with ${sessionId} and an approval_id of approvals, then agent_wait.`
    case "queued":
    case "running":
      return `Still ${status}: agent_wait with ${turn}${cursor === null ? "" : `, cursor ${cursor}`}; agent_cancel stops it.`
    case "failed":
    case "timed_out":
      return `The turn failed: error says why and what to do. agent_send with session_id ${sessionId} submits another.`
    default:
      return `agent_send with session_id ${sessionId} goes on; agent_cancel with close: true ends the session.`
  }
}

/** A session without a turn. */
export const idleReport = (session: string, agent: string): TurnReport => ({
  session_id: session,
  agent,
  turn: null,
  status: "idle",
  done: false,
  final_text: null,
  truncated: false,
  error: null,
  error_class: null,
  approvals: [],
  activity: [],
  cursor: null,
  usage: null,
  next: `agent_send with session_id ${session} submits a turn.`
})

export const messageReport = (turn: number, { content, role, tool_calls = [] }: Message) => ({
  turn,
  role,
  text: cut(content ?? "", longestMessage),
  tool_calls: tool_calls.map(({ function: { arguments: args, name } }) => cut(`${name} ${args}`, 1_000))
})

export const isCut = ({ content }: Message) => (content ?? "").length > longestMessage
