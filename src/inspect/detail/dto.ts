/** Makes the dashboard's DTOs of stored records. Records have milliseconds since 1970, DTOs seconds. */
import type { ApprovalRecord } from "../../domain/Approval.ts"
import type { SessionRecord, StoredEvent } from "../../domain/Session.ts"
import type { TurnRecord } from "../../domain/Turn.ts"
import type { SessionBounds } from "../../../machines/session/machine.ts"
import type { InspectedSession, SessionProcesses, StepRecord } from "../../services/Inspection.ts"
import type { Approval, Me } from "../contract.ts"
import type { Owner, Processes, Step, TranscriptEvent, Turn, UseSample } from "../sessionContract.ts"

const seconds = (millis: number): number => millis / 1000
const secondsOrNull = (millis: number | null): number | null => (millis === null ? null : seconds(millis))

export const stepDto = ({ at, commands, event, from, hasWire, seq, to }: StepRecord): Step => ({
  seq,
  at: seconds(at),
  event,
  from,
  to,
  commands,
  wire: hasWire === true
})

export const eventDto = ({ at, message, seq, turn }: StoredEvent): TranscriptEvent => ({
  seq,
  turn,
  at: seconds(at),
  message
})

export const turnDto = (turn: TurnRecord, canFork: boolean, repeatedAs: number | undefined): Turn => ({
  index: turn.index,
  kind: turn.kind,
  status: turn.status,
  prompt: turn.prompt,
  submitted_at: seconds(turn.submittedAt),
  ended_at: secondsOrNull(turn.endedAt),
  stop_reason: turn.stopReason,
  total_tokens: turn.usage.totalTokens,
  cost: turn.cost ?? null,
  tool_iterations: turn.toolIterations,
  failure: turn.failure === null ? null : { class: turn.failure.class, message: turn.failure.message },
  can_fork: canFork,
  repeated_as: repeatedAs ?? null
})

export const approvalDto = (
  approval: ApprovalRecord,
  { agent, app }: Pick<SessionRecord, "agent" | "app">
): Approval => ({
  approval_id: approval.id,
  session_id: approval.session,
  app,
  agent,
  turn: approval.turn,
  kind: approval.kind,
  title: approval.title,
  raw: approval.raw,
  fields: approval.fields,
  answers: approval.answers,
  created_at: seconds(approval.createdAt),
  deadline_at: seconds(approval.deadlineAt),
  status: approval.status,
  decision: approval.decision,
  decided_by: approval.decidedBy,
  settled_at: secondsOrNull(approval.settledAt)
})

export const processDto = ({
  command,
  cpuSeconds,
  pid,
  ppid,
  rssBytes,
  startedAt,
  state
}: SessionProcesses["tree"][number]): Processes["tree"][number] => ({
  pid,
  ppid,
  command,
  rss_bytes: rssBytes,
  started_at: secondsOrNull(startedAt),
  state: state ?? null,
  cpu_seconds: cpuSeconds ?? null
})

export const sampleDto = ({ at, cpu, processes, rssBytes }: SessionProcesses["samples"][number]): UseSample => ({
  at: seconds(at),
  rss_bytes: rssBytes,
  cpu,
  processes
})

export const ownerDto = ({ afterStep, at, epoch, node, ownerBefore }: InspectedSession["claims"][number]): Owner => ({
  epoch,
  node,
  at: seconds(at),
  after_step: afterStep,
  before: ownerBefore
})

export const boundsDto = (bounds: SessionBounds): Me["bounds"] => ({
  pool_wait_millis: bounds.poolWaitMillis,
  hibernate_after_millis: bounds.hibernateAfterMillis,
  restart_intensity: bounds.restartIntensity,
  restart_period_millis: bounds.restartPeriodMillis
})
