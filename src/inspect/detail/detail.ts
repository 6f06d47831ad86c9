/** A session as the dashboard shows it opened: what was gathered of it, put together. Pure. */
import { restore } from "../../../machines/session/machine.ts"
import type { SessionContext, SessionMachine } from "../../../machines/session/machine.ts"
import type { RefusedEvent } from "../../runtime/RefusedEvents.ts"
import type { Vitals } from "../../agent/Processes.ts"
import type { ApprovalRecord } from "../../domain/Approval.ts"
import type { SessionView } from "../../domain/Session.ts"
import type { TurnRecord } from "../../domain/Turn.ts"
import type { ArmedTimer, SessionSummary, OutboxCommand, StepRecord } from "../../ledger/Ledger.ts"
import type { Detail } from "../contract.ts"
import { rowOf } from "../row.ts"
import { nameOfTimer, waitOf } from "../wait.ts"
import { awaitedIn } from "./awaited.ts"
import { budgetOf } from "./budget.ts"
import type { Bounds } from "./budget.ts"
import { spansOf } from "./spans.ts"
import { approvalDto, turnDto } from "./dto.ts"
import { sentenceOf } from "./why.ts"

/** All of one moment, or as near to it as reading one after the other comes. */
export interface Gathered {
  readonly view: SessionView
  readonly glance: SessionSummary
  readonly snapshot: Persisted
  readonly lastStep: number
  readonly lastEvent: number
  readonly timers: ReadonlyArray<ArmedTimer>
  readonly owed: ReadonlyArray<OutboxCommand>
  readonly turns: ReadonlyArray<TurnRecord>
  readonly approvals: ReadonlyArray<ApprovalRecord>
  readonly lifeSteps: ReadonlyArray<StepRecord>
  readonly refused: ReadonlyArray<RefusedEvent>
  readonly vitals: Vitals | null
}

export interface Persisted {
  readonly value: unknown
  readonly context: SessionContext
}

export const detailOf = (gathered: Gathered, machine: SessionMachine, bounds: Bounds, nowMillis: number): Detail => {
  const { glance, snapshot, view, vitals } = gathered
  const { context } = snapshot
  const { process, substate, usage } = view
  const now = nowMillis / 1000
  const wait = waitOf(glance)
  const due = (timer: string) => gathered.timers.find((one) => nameOfTimer(one.timer) === timer)?.dueAt ?? null
  const lastByteAt = vitals?.heardAt == null ? null : vitals.heardAt / 1000
  return {
    ok: true,
    session: {
      ...rowOf(glance),
      // A session pays for its reviews too.
      total_tokens: usage.totalTokens,
      cwd: view.cwd,
      model: view.model,
      permissions: view.permissions,
      thread_id: view.threadId,
      meta: view.meta,
      usage: {
        input_tokens: usage.inputTokens,
        cached_input_tokens: usage.cachedInputTokens,
        output_tokens: usage.outputTokens,
        reasoning_tokens: usage.reasoningTokens,
        total_tokens: usage.totalTokens
      },
      cost: view.cost
    },
    snapshot: { value: snapshot.value, context: { ...context } },
    last_step: gathered.lastStep,
    last_event: gathered.lastEvent,
    why: {
      sentence: sentenceOf({
        substate,
        wait,
        queued: context.queue.length,
        reason: context.reason,
        lastByteAt,
        now
      }),
      wait,
      awaited: awaitedIn(restore(machine, snapshot)),
      last_byte_at: lastByteAt,
      queued: context.queue.length
    },
    timers: gathered.timers.map(({ dueAt, event, timer }) => ({
      timer: nameOfTimer(timer),
      event: event.type,
      due_at: dueAt / 1000
    })),
    owed: gathered.owed.map(({ claimed: attempted, step, type }) => ({ step, type, attempted })),
    budget: budgetOf(context, substate, bounds, { backoff: due("backoff"), parkFor: due("parkFor") }, nowMillis),
    process: {
      pid: process.pid,
      state: process.state,
      up_since: context.process && context.upSince !== null ? context.upSince / 1000 : null
    },
    refused: gathered.refused.map(({ at, event, state }) => ({ event, state, at: at / 1000 })),
    turns: gathered.turns.map(turnDto),
    approvals: gathered.approvals.map((approval) => approvalDto(approval, view)),
    processes: spansOf(gathered.lifeSteps, context)
  }
}
