/**
 * What one step of a session means for the ledger: rows, turns, audit lines and events, all for one transaction.
 *
 * Pure. The machine decided; this writes the decision down, and nothing here decides again.
 */
import { deliveries } from "../../machines/session/machine.ts"
import type { SessionCommand, SessionMachine, SessionSnapshot, Settlement } from "../../machines/session/machine.ts"
import { topState } from "../../machines/session/stateInfo.ts"
import type { AcpMessage } from "../domain/Acp.ts"
import { troupeMessage } from "../domain/events/troupeMessage.ts"
import { contextGiven } from "../domain/GivenContext.ts"
import type { Notice } from "../domain/Notice.ts"
import { sessionPatchKeys } from "../domain/Session.ts"
import type { SessionRecord, StoredEvent } from "../domain/Session.ts"
import { openingOf } from "../domain/sessionName.ts"
import { addUsage, lastOutcomeOf, noUsage } from "../domain/Turn.ts"
import type { TurnRecord, Usage } from "../domain/Turn.ts"
import type { LedgerWrite, SessionPatch } from "../ledger/Ledger.ts"
import { approvalEntries } from "./approvalEntries.ts"
import type { ApprovalEntries } from "./approvalEntries.ts"
import { auditEntries } from "./auditEntries.ts"
import type { Step } from "./Step.ts"
import { newTurn, outcome, queuedSettlement, turnPatch } from "./turnEntries.ts"
import type { TurnPatched } from "./turnEntries.ts"
import { turnMessages } from "./turnMessages.ts"

interface OutboxEntry {
  /** Its place among the step's commands. */
  readonly nth: number
  readonly command: SessionCommand
  /** At most once: it is claimed before it is performed. */
  readonly once: boolean
  /**
   * Claimed by the commit itself, which then keeps nothing of it: whoever finds the state that it led to takes it for
   * performed. So a death between the two leaves a turn whose outcome is not known, and no turn that can be repeated.
   */
  readonly claimed: boolean
}

/** Of one turn, or of the session where `turn` is `null`. To be numbered and stored with the commit. */
interface Said {
  readonly turn: number | null
  readonly message: AcpMessage
}

export interface CommitPlan {
  /** The session's row after the commit. */
  readonly record: SessionRecord
  readonly entries: ReadonlyArray<LedgerWrite>
  readonly messages: ReadonlyArray<Said>
  /** What is to be performed after the commit. */
  readonly outbox: ReadonlyArray<OutboxEntry>
  readonly settled: ReadonlyArray<Settlement>
  readonly approvals: ApprovalEntries
}

/** A step whose commit has succeeded, for those who react to it. */
export interface CommittedStep extends Step {
  readonly previous: SessionRecord
  readonly record: SessionRecord
  readonly outbox: CommitPlan["outbox"]
  readonly settled: CommitPlan["settled"]
  /** The rows of turns that have their outcome with it, where this actor accepted them. */
  readonly ended: ReadonlyArray<TurnRecord>
  readonly approvals: ApprovalEntries
  readonly notices: ReadonlyArray<Notice>
  /** Every event that follows from this step has a higher number. */
  readonly after: number
  /** All that were stored with it, those that had waited included. */
  readonly events: ReadonlyArray<StoredEvent>
  /** The length of their messages as JSON. */
  readonly characters: number
}

/** `last`: the number of the last event before the step's own. */
export const entriesOf = (machine: SessionMachine, before: SessionRecord, step: Step, last: number): CommitPlan => {
  const { at, decision, event, from, seq, to } = step
  const session = before.id
  const entries: Array<LedgerWrite> = []
  const messages: Array<Said> = []
  const settled: Array<Settlement> = []
  let record: SessionRecord = { ...before, state: topState(to), substate: to, lastActivityAt: at }

  const opened = decision.commands.find((command) => command.type === "openTurn")?.params.turn
  const ofTurns = turnMessages(step)
  messages.push(...ofTurns.submitted(opened))
  if (event.type === "turn.submitted" && step.submission !== null) {
    record = { ...record, turnCount: event.turn }
    const status = opened === event.turn ? "running" : "queued"
    const { context, kind, name, prompt } = step.submission
    if (record.opening === null && kind !== "compact") record = { ...record, opening: openingOf(prompt) }
    const turn = newTurn(record, event.turn, status, step.submission, at)
    const submission = name === undefined ? {} : { submission: name }
    entries.push({ _tag: "TurnInserted", record: turn, after: last, ...submission })
    if (context) messages.push({ turn: event.turn, message: contextGiven(event.turn, context) })
  }
  if (event.type === "settings.changed" || event.type === "agent.chosen") {
    const { settings } = event
    const {
      effort = record.effort,
      mode = record.mode,
      model = record.model,
      permissions = record.permissions
    } = settings
    const agent = event.type === "agent.chosen" ? event.agent : record.agent
    record = { ...record, agent, effort, mode, model, permissions }
  }
  if (event.type === "process.ready") record = { ...record, threadId: event.thread }
  const found = foundBy(step, before.cwd)
  messages.push(...found.messages.map((message) => ({ turn: null, message })))
  if (found.messages.length > 0 && decision.next.hasTag("turnOpen")) {
    entries.push(turnPatch(session, decision.next.context.turn, found.patch))
  }
  // Before the turn's own end, which is the last message of a turn.
  const approvals = approvalEntries(before, step)
  messages.push(...approvals.messages)
  /** Places among the entries. */
  const outcomes: Array<number> = []
  const settle = (settlement: Settlement, usage: Usage, handed: boolean) => {
    outcomes.push(entries.push(outcome(record, settlement, at, usage)) - 1)
    // A refusal (`refusalIn`): nothing began, and its request may be sent again.
    if (settlement.failure?.class === "pool_full") {
      entries.push({ _tag: "SubmissionFreed", session, index: settlement.turn })
    }
    const { failure, status, turn } = settlement
    // Turns in line that end with the one that ran come behind it, and say less.
    if (handed || record.lastOutcome?.at !== at)
      record = { ...record, lastOutcome: lastOutcomeOf(turn, status, at, failure) }
    messages.push(...ofTurns.ended(settlement, usage, handed))
    settled.push(settlement)
  }
  for (const command of decision.commands) {
    switch (command.type) {
      case "openTurn": {
        record = { ...record, lastTurnAt: at }
        messages.push(...ofTurns.started(command.params.turn))
        const inserted = event.type === "turn.submitted" && event.turn === command.params.turn
        if (!inserted) entries.push(turnPatch(session, command.params.turn, { status: "running" }))
        break
      }
      case "settleTurn": {
        const usage = step.usage ?? noUsage
        record = { ...record, usage: addUsage(record.usage, usage) }
        settle(command.params, usage, wasHanded(step.before, command.params))
        break
      }
      case "settleQueued":
        for (const turn of command.params.turns) settle(queuedSettlement(turn, command.params.failure), noUsage, false)
        break
      case "startProcess":
        if (decision.next.context.restarts.attempt > 0) record = { ...record, restarts: record.restarts + 1 }
        break
      case "takeSlot":
      case "releaseSlot":
      case "handPrompt":
      case "interruptTurn":
      case "askToExit":
      case "terminateProcess":
      case "endProcess":
        // Performed after the commit, from the outbox; nothing of the rows depends on them.
        break
      default:
        command satisfies never
    }
  }
  if (decision.next.status === "done") record = { ...record, closedAt: at }
  if (from !== to) messages.push({ turn: null, message: troupeMessage("state", { from, to, event: event.type }) })

  const outbox = decision.commands.flatMap((command, nth) => {
    const delivery = deliveries[command.type]
    const once = delivery === "once"
    return delivery === "inCommit" ? [] : [{ nth, command, once, claimed: once && !step.heldBack }]
  })
  // Its end is an event of this commit.
  for (const nth of outcomes) entries[nth] = { ...(entries[nth] as TurnPatched), last: last + messages.length }
  entries.push(
    {
      _tag: "SessionPatched",
      session,
      patch: { ...changed(before, record), snapshot: machine.getPersistedSnapshot(decision.next) }
    },
    {
      _tag: "StepAppended",
      step: { session, seq, at, event: { ...event }, from, to, commands: decision.commands.map(({ type }) => type) },
      wire: step.wire
    }
  )
  for (const { claimed, command, nth, once } of outbox) {
    if (claimed) continue
    const { params, type } = command
    entries.push({ _tag: "CommandQueued", command: { session, step: seq, nth, type, params, once, claimed: false } })
  }
  for (const timer of step.disarmed) entries.push({ _tag: "TimerDisarmed", session, timer })
  for (const { delayMillis, event: fires, id } of decision.arm) {
    entries.push({ _tag: "TimerArmed", timer: { session, timer: id, dueAt: at + delayMillis, event: fires } })
  }
  for (const { action, detail } of auditEntries(step)) {
    entries.push({ _tag: "Audited", record: { at, session, app: record.app, action, actor: step.by, detail } })
  }
  entries.push(...approvals.entries)
  return { record, entries, messages, outbox, settled, approvals }
}

/** What an agent that has become ready has of the session, where it is not all. */
const foundBy = ({ contextLost, decision, event }: Step, directory: string) => {
  const { contextAsOf, workdirLost } = event.type === "process.ready" ? event : {}
  const before = { before_turn: decision.next.context.turn }
  return {
    messages: [
      ...(contextLost === null ? [] : [troupeMessage("context_lost", { reason: contextLost, ...before })]),
      ...(contextAsOf === undefined ? [] : [troupeMessage("context_restored", { as_of_turn: contextAsOf, ...before })]),
      ...(workdirLost === undefined ? [] : [troupeMessage("workdir_lost", { directory, ...before })])
    ],
    patch: {
      ...(contextLost === null ? {} : { contextLost: true }),
      ...(contextAsOf === undefined ? {} : { contextAsOf }),
      ...(workdirLost === undefined ? {} : { workdirLost })
    }
  }
}

/** The agent is only asked after its process is ready, and a crash in between is known by its class. */
const wasHanded = (before: SessionSnapshot, { failure }: Settlement): boolean =>
  !before.hasTag("promptPending") && failure?.class !== "not_delivered"

const changed = (before: SessionRecord, after: SessionRecord): SessionPatch => {
  const patch: { [K in (typeof sessionPatchKeys)[number]]?: unknown } = {}
  for (const key of sessionPatchKeys) if (before[key] !== after[key]) patch[key] = after[key]
  return patch as SessionPatch
}
