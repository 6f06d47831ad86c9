/**
 * A turn, from its place in the pool's line to its end: the part of the session machine in which an agent is at work, or
 * about to be.
 */
import {
  accepted,
  close,
  completed,
  failed,
  failedFor,
  handPrompt,
  interrupted,
  interruptTurn,
  leaveQueue,
  openTurn,
  overran,
  releaseSlot,
  startProcess,
  takeSlot,
  unready,
  unserved,
  wentQuiet
} from "./commands.ts"
import type { SessionSetup } from "./setup.ts"

export const turningState = (words: SessionSetup) => {
  /** How a turn that the agent has ends, whatever else is going on. */
  const ends = [
    { guard: "endedCancelled", target: "#session.idle.awake", actions: [interrupted, "resetBudget", "dropApprovals"] },
    { guard: "endedWell", target: "#session.idle.awake", actions: [completed, "resetBudget", "dropApprovals"] },
    { guard: "endedFatally", target: "#session.retiring", actions: [...failedFor, "noteFailure"] },
    { guard: "isThisTurn", target: "#session.idle.awake", actions: [failed, "dropApprovals"] }
  ] as const

  /** The answer counts; the process, which still owes an end, does not. */
  const unended = { guard: "isThisTurn", target: "#session.retiring", actions: [accepted, "noteUnended"] } as const

  /** By its own word; asked to stop, so that nothing of it runs any more when it counts as ended. */
  const aborts = { guard: "isThisTurn", target: "interrupting", actions: "noteAborted" } as const

  return words.createStateConfig({
    initial: "queued",
    entry: openTurn,
    after: {
      turnWithin: [
        { guard: "hasProcess", target: "#session.retiring", actions: [overran, "noteOverrun"] },
        { target: "#session.idle.asleep", actions: [overran, releaseSlot] }
      ]
    },
    on: {
      "turn.submitted": { guard: "canQueueBehindTurn", actions: "enqueue" },
      "interrupt.requested": { guard: "interruptsQueuedTurn", actions: leaveQueue },
      "expire.requested": { guard: "isNotClosing", actions: close },
      "process.lost": { target: "#session.idle.asleep", actions: [failed, "noteGone"] }
    },
    states: {
      queued: {
        entry: takeSlot(true),
        after: { poolWait: { target: "#session.idle.asleep", actions: [unserved, releaseSlot] } },
        on: {
          "slot.granted": { target: "starting", actions: startProcess },
          "slot.refused": { target: "#session.idle.asleep", actions: unserved },
          "interrupt.requested": {
            guard: "interruptsThisTurn",
            target: "#session.idle.asleep",
            actions: [interrupted, releaseSlot]
          },
          "close.requested": { target: "#session.closed", actions: [interrupted, releaseSlot, ...close] }
        }
      },
      starting: {
        after: { startWithin: { target: "#session.retiring.killing", actions: [unready, "noteSlow"] } },
        on: {
          "process.ready": { target: "running", actions: ["noteReady", ...handPrompt] },
          "process.failed": { target: "#session.retiring.killing", actions: [...failedFor, "noteDeath"] },
          "process.exited": { target: "#session.retiring.killing", actions: [...failedFor, "noteDeath"] },
          "interrupt.requested": { guard: "interruptsThisTurn", target: "#session.idle.waking", actions: interrupted },
          "close.requested": { target: "#session.retiring.killing", actions: [interrupted, ...close] }
        }
      },
      running: {
        on: {
          "turn.ended": ends,
          "turn.answered": unended,
          "turn.aborted": aborts,
          "approval.asked": { target: "asking", actions: "addApproval" },
          "agent.quiet": "probing",
          "interrupt.requested": { guard: "interruptsThisTurn", target: "interrupting", actions: "noteReason" },
          "close.requested": { target: "interrupting", actions: close },
          "process.exited": { target: "#session.retiring.killing", actions: [failed, "noteDeath"] }
        }
      },
      asking: {
        on: {
          "turn.ended": ends,
          "turn.answered": unended,
          "turn.aborted": aborts,
          "approval.asked": { actions: "addApproval" },
          "approval.settled": [
            { guard: "isLastApproval", target: "running", actions: "dropApproval" },
            { actions: "dropApproval" }
          ],
          "interrupt.requested": { guard: "interruptsThisTurn", target: "interrupting", actions: "noteReason" },
          "close.requested": { target: "interrupting", actions: close },
          "process.exited": { target: "#session.retiring.killing", actions: [failed, "noteDeath"] }
        }
      },
      /** Wedged, or only slow? One that answers an interrupt is alive and kept; one that doesn't is retired. */
      probing: {
        entry: interruptTurn,
        after: {
          interruptAgain: { actions: interruptTurn },
          interruptWithin: { target: "#session.retiring", actions: [wentQuiet, "noteQuiet"] }
        },
        on: {
          "turn.ended": { guard: "isThisTurn", target: "#session.idle.awake", actions: [wentQuiet, "dropApprovals"] },
          "turn.answered": unended,
          "turn.aborted": aborts,
          "interrupt.requested": { guard: "interruptsThisTurn", target: "interrupting", actions: "noteReason" },
          "close.requested": { target: "interrupting", actions: close },
          "process.exited": { target: "#session.retiring.killing", actions: [wentQuiet, "noteDeath"] }
        }
      },
      /** Asked, asked again, then retired. */
      interrupting: {
        entry: interruptTurn,
        after: {
          interruptAgain: { actions: interruptTurn },
          interruptWithin: { target: "#session.retiring", actions: interrupted }
        },
        on: {
          "turn.ended": ends,
          "turn.aborted": {},
          "interrupt.requested": { guard: "interruptsThisTurn" },
          "close.requested": { actions: close },
          "process.exited": { target: "#session.retiring.killing", actions: [interrupted, "noteDeath"] }
        }
      }
    }
  })
}
