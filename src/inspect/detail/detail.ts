/** The detail of a session as the dashboard shows it: a pure function of what was read of the session. */
import { words } from "../../domain/permissionTable.ts"
import { policyOf, rulesOf } from "../../domain/Permissions.ts"
import type { Permissions } from "../../domain/Permissions.ts"
import { restore, sessionMachine } from "../../../machines/session/machine.ts"
import type { Detail } from "../sessionContract.ts"
import { rowOf } from "../row.ts"
import { nameOfTimer, waitOf } from "../wait.ts"
import { awaitedIn } from "./awaited.ts"
import { budgetOf } from "./budget.ts"
import type { RestartBounds } from "./budget.ts"
import { spansOf } from "./spans.ts"
import { approvalDto, ownerDto, turnDto } from "./dto.ts"
import type { InspectedSession } from "../../services/Inspection.ts"
import { unseenSentence } from "./unseen.ts"
import { circumstancesOf, sentenceOf } from "./why.ts"

/** Bounds and `nowMillis` are milliseconds; the times of a `Detail` are seconds. */
export const detailOf = (inspected: InspectedSession, bounds: RestartBounds, nowMillis: number): Detail => {
  const { snapshot, summary, view, vitals } = inspected
  const { context } = snapshot
  const { process, substate, usage } = view
  const now = nowMillis / 1000
  const wait = waitOf(summary)
  const due = (timer: string) => inspected.timers.find((armed) => nameOfTimer(armed.timer) === timer)?.dueAt ?? null
  const lastByteAt = vitals?.lastOutputAt == null ? null : vitals.lastOutputAt / 1000
  const parts = {
    session: {
      ...rowOf(summary),
      // A session pays for its reviews too.
      total_tokens: usage.totalTokens,
      cwd: view.cwd,
      model: view.model,
      mode: view.mode,
      effort: view.effort,
      permissions: view.permissions,
      permission: permissionOf(view.permissions),
      thread_id: view.threadId,
      meta: view.meta,
      usage: {
        input_tokens: usage.inputTokens,
        cached_input_tokens: usage.cachedInputTokens,
        output_tokens: usage.outputTokens,
        reasoning_tokens: usage.reasoningTokens,
        total_tokens: usage.totalTokens
      },
      cost: view.cost,
      can: { compact: inspected.can.compact, steer: inspected.can.steer }
    },
    snapshot: { value: snapshot.value, context: { ...context } },
    line: lineOf(inspected)
  }
  const waits = { wait, last_byte_at: lastByteAt, queued: context.queue.length }
  return {
    ok: true,
    ...parts,
    last_step: inspected.lastStep,
    last_event: inspected.lastEvent,
    why: {
      sentence: sentenceOf(circumstancesOf({ ...parts, why: waits }, now)),
      ...waits,
      // The chart is the same whatever the machine's bounds are.
      awaited: awaitedIn(restore(sessionMachine, snapshot))
    },
    timers: inspected.timers.map(({ dueAt, event, timer }) => ({
      timer: nameOfTimer(timer),
      event: event.type,
      due_at: dueAt / 1000
    })),
    owed: inspected.outbox.map(({ claimed, step, type }) => ({ step, type, attempted: claimed })),
    budget: budgetOf(context, substate, bounds, { backoff: due("backoff"), parkFor: due("parkFor") }, nowMillis),
    process: {
      pid: process.pid,
      state: process.state,
      up_since: context.process && context.upSince !== null ? context.upSince / 1000 : null,
      unseen: process.unseen === undefined ? null : unseenSentence(process.unseen, now)
    },
    refused: inspected.refusedEvents.map(({ at, event, state }) => ({ event, state, at: at / 1000 })),
    turns: inspected.turns.map((turn) =>
      turnDto(
        turn,
        inspected.forkableTurns.includes(turn.index),
        inspected.repeated.find((each) => each.turn === turn.index)?.as
      )
    ),
    approvals: inspected.approvals.map((approval) => approvalDto(approval, view)),
    processes: spansOf(inspected.processSteps, context),
    owners: inspected.claims.map(ownerDto)
  }
}

const lineOf = ({ othersHold, summary: { line } }: InspectedSession): Detail["line"] =>
  line == null
    ? null
    : {
        place: line.place,
        waiting: line.waiting,
        size: line.size,
        holders: line.holders.map(({ app, session, since }) => ({ session_id: session, app, since: since / 1000 })),
        others: othersHold
      }

const permissionOf = (permissions: Permissions) => {
  const [policy, rules] = [policyOf(permissions), rulesOf(permissions).length]
  const { meaning } = words[policy]
  if (rules === 0) return { word: policy, meaning }
  const count = rules === 1 ? "1 rule" : `${rules} rules`
  return { word: `${policy} + ${count}`, meaning: `${meaning} Before it: ${count}.` }
}
