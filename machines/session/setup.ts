/**
 * The parts of the session machine: its delays, guards and commands, and how it updates its context.
 *
 * The chart itself is `machine.ts`; nothing here knows a state.
 */
import { assign, setup } from "xstate"
import { command } from "../decide.ts"
import { fixedDelays, startWithin } from "./delays.ts"
import type { SessionBounds } from "./delays.ts"
import { lifted, paused, noPause } from "./quota.ts"
import { afterDeath, noRestarts, overBudget } from "./restarts.ts"
import { failureOf, isNotRetryable, saidIn } from "./events.ts"
import type { SessionContext, SessionEvent, WaitingTurn } from "./events.ts"
import { countsAgainstBudget, isFatalToProcess, isOfQuota } from "./failures.ts"
import type { Failure } from "./failures.ts"
import { outlastsPause } from "./settlements.ts"
import type { Settlement } from "./settlements.ts"
import type { StateMeta, StateTag } from "./states.ts"

/** Turns that may wait in line behind a running one. */
export const longestQueue = 16

const isLimited = ({ limit }: SessionContext) => limit.pauseMillis > 0

/** Through a pause waits who asks for it, and whose deadline is not before its end. */
const canQueueWhilePaused = (
  { limit, queue }: SessionContext,
  turn: { readonly queue: boolean; readonly at: number; readonly timeoutMillis: number }
) => turn.queue && queue.length < longestQueue && turn.at + turn.timeoutMillis >= limit.until

export const sessionSetup = (bounds: SessionBounds) => {
  const budget = { intensity: bounds.restartIntensity, periodMillis: bounds.restartPeriodMillis }

  return setup({
    types: {
      context: {} as SessionContext,
      events: {} as SessionEvent,
      tags: {} as StateTag,
      meta: {} as StateMeta
    },
    delays: {
      hibernateAfter: bounds.hibernateAfterMillis,
      // A turn that also has to wait for a backoff is not cheated of its wait for a slot.
      poolWait: ({ context }) => bounds.poolWaitMillis + context.restarts.backoffMillis,
      parkFor: ({ context }) => (isLimited(context) ? context.limit.pauseMillis : bounds.restartPeriodMillis),
      backoff: ({ context }) => context.restarts.backoffMillis,
      turnWithin: ({ context }) => context.timeoutMillis,
      startWithin: startWithin(bounds),
      ...fixedDelays
    },
    guards: {
      hasProcess: ({ context }) => context.process,
      isStale: ({ context }) => context.stale,
      hasNoProcess: ({ context }) => !context.process,
      /** No turn ever came, and it goes on with no conversation of its agent's. */
      isUnused: ({ context }) => context.turn === 0 && context.thread === null,
      hasQueued: ({ context }) => context.queue.length > 0,
      canQueueBehindTurn: ({ context, event }) =>
        event.type === "turn.submitted" && event.queue && !context.closing && context.queue.length < longestQueue,
      /** A process is coming up anyway, and somebody waits for one. */
      canStartQueued: ({ context }) => context.process && context.queue.length > 0,
      /** Nobody runs while it retires, so the first may wait unasked; those behind it have to ask for that. */
      canQueueWhileRetiring: ({ context, event }) =>
        event.type === "turn.submitted" &&
        !context.closing &&
        (isLimited(context)
          ? canQueueWhilePaused(context, event)
          : context.queue.length < (event.queue ? longestQueue : 1)),
      canQueueWhilePaused: ({ context, event }) =>
        event.type === "turn.submitted" && isLimited(context) && canQueueWhilePaused(context, event),
      isLimited: ({ context }) => isLimited(context) && !context.closing,
      isClosing: ({ context }) => context.closing,
      isNotClosing: ({ context }) => !context.closing,
      hasCrashed: ({ context }) => context.crashed,
      isOverBudget: ({ context }) => context.crashed && overBudget(context.restarts, budget),
      isThisProcess: ({ context, event }) =>
        event.type === "limit.exceeded" && context.process && event.generation === context.generation,
      isThisTurn: ({ context, event }) => "turn" in event && event.turn === context.turn,
      /** An interrupt is for the turn that runs, unless it names another. */
      interruptsThisTurn: ({ context, event }) =>
        event.type === "interrupt.requested" && (event.turn === undefined || event.turn === context.turn),
      interruptsQueuedTurn: ({ context, event }) =>
        event.type === "interrupt.requested" && context.queue.some(({ turn }) => turn === event.turn),
      /** Not the answer to what the session requested before this turn came, which may still be on its way. */
      refusesTurn: ({ event }) => event.type === "slot.refused" && event.urgent !== false,
      endedWell: ({ context, event }) =>
        event.type === "turn.ended" && event.turn === context.turn && event.failure === null,
      endedCancelled: ({ context, event }) =>
        event.type === "turn.ended" &&
        event.turn === context.turn &&
        event.failure === null &&
        (event.stopReason === "cancelled" || saidIn(event).aborted),
      /** Its driver ends the turn of an agent that has died, where it knows more of it than that. */
      endedByDeath: ({ context, event }) =>
        event.type === "turn.ended" && event.turn === context.turn && event.failure?.class === "crash",
      endedFatally: ({ context, event }) =>
        event.type === "turn.ended" && event.turn === context.turn && isFatalToProcess(event.failure),
      saidAborted: ({ event }) => saidIn(event).aborted,
      saidAnswered: ({ event }) => saidIn(event).answered,
      /** The agent may have the prompt: unless the event says that it was not claimed. */
      promptClaimed: ({ event }) => event.type === "process.lost" && event.claimed !== false,
      /** As Troupe 0.1.0 stored it: the turn is over. */
      carriesFailure: ({ event }) => failureOf(event) !== null,
      isLastApproval: ({ context, event }) =>
        event.type === "approval.settled" && context.approvals.every((id) => id === event.id)
    },
    actions: {
      openTurn: command<WaitingTurn>({ delivery: "inCommit" }),
      settleTurn: command<Settlement>({ delivery: "inCommit" }),
      settleQueued: command<{ readonly turns: ReadonlyArray<number>; readonly failure: Failure }>({
        delivery: "inCommit"
      }),
      takeSlot: command<{ readonly urgent: boolean; readonly notBefore: number }>({ delivery: "repeatable" }),
      releaseSlot: command<{ readonly generation: number }>({ delivery: "repeatable" }),
      startProcess: command<{ readonly generation: number; readonly thread: string | null }>({
        delivery: "repeatable"
      }),
      handPrompt: command<{ readonly turn: number }>({ delivery: "once" }),
      interruptTurn: command<{ readonly turn: number }>({ delivery: "repeatable" }),
      askToExit: command<{ readonly generation: number }>({ delivery: "repeatable" }),
      terminateProcess: command<{ readonly generation: number }>({ delivery: "repeatable" }),
      endProcess: command<{ readonly generation: number }>({ delivery: "repeatable" }),

      takeTurn: assign(({ event }) =>
        event.type === "turn.submitted" ? { turn: event.turn, timeoutMillis: event.timeoutMillis } : {}
      ),
      enqueue: assign(({ context, event }) =>
        event.type === "turn.submitted"
          ? { queue: [...context.queue, { turn: event.turn, timeoutMillis: event.timeoutMillis }] }
          : {}
      ),
      takeQueued: assign(({ context }) => {
        const [next, ...queue] = context.queue
        return next === undefined ? {} : { ...next, queue }
      }),
      leaveQueue: assign(({ context, event }) =>
        event.type === "interrupt.requested" ? { queue: context.queue.filter(({ turn }) => turn !== event.turn) } : {}
      ),
      dropQueue: assign({ queue: [] }),
      noteLimit: assign(({ context, event }) =>
        "failure" in event && "at" in event && isOfQuota(event.failure)
          ? { limit: paused(context.limit, event.at, event.failure.retryAt) }
          : {}
      ),
      dropExpiringQueue: assign({ queue: ({ context }) => context.queue.filter(outlastsPause(context)) }),
      dropNotRetryableQueue: assign(({ event }) => (isNotRetryable(event) ? { queue: [] } : {})),
      countProcess: assign({
        process: true,
        stale: false,
        generation: ({ context }) => context.generation + 1,
        upSince: null
      }),
      noteReady: assign(({ context, event }) =>
        event.type === "process.ready"
          ? {
              thread: event.thread,
              unspoken: context.unspoken || event.thread !== context.thread,
              upSince: event.at,
              restarts: { ...context.restarts, backoffMillis: 0 }
            }
          : {}
      ),
      notePrompted: assign({ unspoken: false }),
      noteStale: assign({ stale: ({ context }) => context.process }),
      noteRenewal: assign({ reason: "its settings were changed" }),
      noteDeath: assign(({ context, event }) => {
        if (event.type !== "process.failed" && event.type !== "process.exited") return {}
        const { at, failure, jitter } = event
        if (!countsAgainstBudget(failure)) return { reason: failure.message }
        const restarts = afterDeath(context.restarts, budget, { at, jitter, upSince: context.upSince })
        return { crashed: true, reason: failure.message, restarts }
      }),
      noteGone: assign({ process: false, stale: false, upSince: null, approvals: [], crashed: false }),
      noteFailure: assign(({ event }) =>
        event.type === "turn.ended" && event.failure !== null
          ? { reason: event.failure.message, approvals: [] }
          : { approvals: [] }
      ),
      noteOverrun: assign({ reason: "the turn overran its deadline", approvals: [] }),
      noteAborted: assign({ reason: "the agent said that the turn was aborted" }),
      noteUnended: assign({ reason: "the agent gave its answer and never ended the turn", approvals: [] }),
      noteQuiet: assign({ reason: "the agent went silent and did not answer an interrupt", approvals: [] }),
      noteExcess: assign(({ event }) =>
        event.type === "limit.exceeded" ? { reason: event.failure.message, approvals: [] } : {}
      ),
      noteSlow: assign({ reason: "the agent did not get ready in time" }),
      noteIdle: assign({ reason: "idle" }),
      noteReason: assign(({ event }) => ("reason" in event ? { reason: event.reason } : {})),
      noteClosing: assign({ closing: true }),
      resetBudget: assign({ restarts: noRestarts, limit: noPause }),
      liftPause: assign({ restarts: noRestarts, limit: ({ context }) => lifted(context.limit) }),
      addApproval: assign(({ context, event }) =>
        event.type === "approval.asked" ? { approvals: [...context.approvals, event.id] } : {}
      ),
      dropApproval: assign(({ context, event }) =>
        event.type === "approval.settled" ? { approvals: context.approvals.filter((id) => id !== event.id) } : {}
      ),
      dropApprovals: assign({ approvals: [] })
    }
  })
}

export type SessionSetup = ReturnType<typeof sessionSetup>
