/**
 * What one step of a session means for the ledger: rows, turns, audit and news, all for one transaction.
 *
 * Pure. The machine decided; this writes it down, and nothing here decides again.
 */
import type { SessionCommand, Settlement } from "../../machines/session/machine.ts"
import { acceptedWithoutEnd, notHanded, troupeMessage } from "../domain/Acp.ts"
import type { AcpMessage, ResultMessage } from "../domain/Acp.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { addUsage, noUsage } from "../domain/Turn.ts"
import type { Failure, StopReason, TurnRecord, Usage } from "../domain/Turn.ts"
import type { LedgerWrite } from "../ledger/Ledger.ts"
import { approvalEntries } from "./approvalEntries.ts"
import type { ApprovalEntries } from "./approvalEntries.ts"
import { auditEntries } from "./auditEntries.ts"
import type { Submission } from "./Envelope.ts"
import type { Step } from "./Step.ts"
import { nameOf, stateOf } from "./Step.ts"

/** Carried out by the commit itself; everything else is owed to the world. */
const inCommit: ReadonlySet<string> = new Set(["openTurn", "settleTurn", "settleQueued"])
/** A crash between the attempt and its settling must not repeat these. */
const onceOnly: ReadonlySet<string> = new Set(["handPrompt"])

export interface CommitPlan {
  readonly record: SessionRecord
  readonly entries: ReadonlyArray<LedgerWrite>
  /** To be numbered and stored with the same commit. */
  readonly messages: ReadonlyArray<{ readonly turn: number | null; readonly message: AcpMessage }>
  readonly outbox: ReadonlyArray<{ readonly nth: number; readonly command: SessionCommand; readonly once: boolean }>
  readonly settled: ReadonlyArray<Settlement>
  readonly approvals: ApprovalEntries
}

export const entriesOf = (before: SessionRecord, step: Step): CommitPlan => {
  const { at, decision, event, seq } = step
  const from = nameOf(step.before)
  const to = nameOf(decision.next)
  const session = before.id
  const entries: Array<LedgerWrite> = []
  const messages: Array<{ readonly turn: number | null; readonly message: AcpMessage }> = []
  const settled: Array<Settlement> = []
  let record: SessionRecord = { ...before, state: stateOf(to), substate: to, lastActivityAt: at }

  const opened = decision.commands.find((command) => command.type === "openTurn")?.params.turn
  if (event.type === "turn.submitted" && step.submission !== null) {
    record = { ...record, turnCount: event.turn }
    const status = opened === event.turn ? "running" : "queued"
    entries.push({ _tag: "TurnInserted", record: newTurn(record, event.turn, status, step.submission, at) })
  }
  if (event.type === "process.ready") record = { ...record, threadId: event.thread }
  if (step.contextLost !== null) {
    const { turn } = decision.next.context
    messages.push({
      turn: null,
      message: troupeMessage("context_lost", { reason: step.contextLost, before_turn: turn })
    })
    if (to.startsWith("turning")) entries.push(patch(session, turn, { contextLost: true }))
  }
  // Before the turn's own end, which is the last that is said of it.
  const approvals = approvalEntries(before, step)
  messages.push(...approvals.messages)
  for (const command of decision.commands) {
    switch (command.type) {
      case "openTurn": {
        record = { ...record, lastTurnAt: at }
        const inserted = event.type === "turn.submitted" && event.turn === command.params.turn
        if (!inserted) entries.push(patch(session, command.params.turn, { status: "running" }))
        break
      }
      case "settleTurn": {
        const usage = step.usage ?? noUsage
        record = { ...record, usage: addUsage(record.usage, usage) }
        entries.push(outcome(record, command.params, { at, usage }))
        messages.push({
          turn: command.params.turn,
          message: endOf(command.params, usage, wasHanded(from, command.params))
        })
        settled.push(command.params)
        break
      }
      case "settleQueued": {
        const { failure, turns } = command.params
        const cancelled = failure.class === "interrupted"
        for (const turn of turns) {
          const status = cancelled ? "interrupted" : "failed"
          const stopReason = cancelled ? "cancelled" : "error"
          const settlement: Settlement = { turn, status, stopReason, failure, withoutEnd: false }
          entries.push(outcome(record, settlement, { at, usage: noUsage }))
          messages.push({ turn, message: endOf(settlement, noUsage, false) })
          settled.push(settlement)
        }
        break
      }
      case "startProcess":
        if (decision.next.context.restarts.attempt > 0) record = { ...record, restarts: record.restarts + 1 }
        break
      default:
    }
  }
  if (to === "closed") record = { ...record, closedAt: at }
  if (from !== to) messages.push({ turn: null, message: troupeMessage("state", { from, to, event: event.type }) })

  const outbox = decision.commands.flatMap((command, nth) =>
    inCommit.has(command.type) ? [] : [{ nth, command, once: onceOnly.has(command.type) }]
  )
  entries.push(
    { _tag: "SessionPatched", session, patch: { ...changed(before, record), snapshot: step.persisted } },
    {
      _tag: "StepAppended",
      step: { session, seq, at, event: { ...event }, from, to, commands: decision.commands.map(({ type }) => type) },
      wire: step.wire
    }
  )
  for (const { command, nth, once } of outbox) {
    const { params, type } = command
    entries.push({ _tag: "CommandQueued", command: { session, step: seq, nth, type, params, once, claimed: false } })
  }
  for (const timer of step.disarmed) entries.push({ _tag: "TimerDisarmed", session, timer })
  for (const { delayMillis, event: rings, id } of decision.arm) {
    entries.push({ _tag: "TimerArmed", timer: { session, timer: id, dueAt: at + delayMillis, event: rings } })
  }
  for (const { action, detail } of auditEntries(step, from, to)) {
    entries.push({ _tag: "Audited", record: { at, session, app: record.app, action, actor: step.by, detail } })
  }
  entries.push(...approvals.entries)
  return { record, entries, messages: messages, outbox, settled, approvals }
}

const newTurn = (
  { id, threadId }: SessionRecord,
  index: number,
  status: "queued" | "running",
  { kind = "prompt", prompt }: Submission,
  at: number
): TurnRecord => ({
  session: id,
  index,
  kind,
  status,
  prompt,
  submittedAt: at,
  endedAt: null,
  stopReason: null,
  usage: noUsage,
  failure: null,
  interrupted: false,
  toolIterations: 0,
  threadId,
  agentTurnId: null,
  contextLost: false
})

const patch = (
  session: SessionRecord["id"],
  index: number,
  what: Extract<LedgerWrite, { _tag: "TurnPatched" }>["patch"]
): LedgerWrite => ({ _tag: "TurnPatched", session, index, patch: what })

const outcome = (
  { id, threadId }: SessionRecord,
  { failure, status, stopReason, turn }: Settlement,
  { at, usage }: { readonly at: number; readonly usage: Usage }
): LedgerWrite =>
  patch(id, turn, {
    status,
    endedAt: at,
    stopReason: stopReason as StopReason,
    usage,
    failure: failure as Failure | null,
    // A deadline ends a turn as an interrupt would: what had arrived is kept, and it was not the agent that ended it.
    interrupted: status === "interrupted" || status === "timed_out",
    threadId
  })

/** The turn's last event, as an ACP client would read it. */
const endOf = (
  { failure, status, stopReason, turn, withoutEnd }: Settlement,
  usage: Usage,
  handed: boolean
): ResultMessage => {
  const meta = withoutEnd ? { _meta: acceptedWithoutEnd } : handed ? {} : { _meta: notHanded }
  return status === "completed" || status === "interrupted"
    ? { jsonrpc: "2.0", id: turn, result: { stopReason, usage, ...meta } }
    : {
        jsonrpc: "2.0",
        id: turn,
        error: {
          code: -32000,
          message: failure?.message ?? "The turn failed.",
          data: { class: failure?.class, ...meta }
        }
      }
}

/** The agent is only asked after its process is ready, and a crash in between is known by its class. */
const wasHanded = (from: string, { failure }: Settlement) =>
  from !== "turning.queued" && from !== "turning.starting" && failure?.class !== "not_delivered"

const changing = [
  "state",
  "substate",
  "turnCount",
  "lastActivityAt",
  "lastTurnAt",
  "closedAt",
  "threadId",
  "restarts",
  "usage"
] as const

const changed = (before: SessionRecord, after: SessionRecord) =>
  Object.fromEntries(changing.filter((key) => before[key] !== after[key]).map((key) => [key, after[key]]))
