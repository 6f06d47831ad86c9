/**
 * A turn, from its place in the pool's line to its end: the part of the session machine in which an agent is at work, or
 * about to be.
 */
import { handPrompt, interruptTurn, openTurn, releaseSlot, startProcess, takeSlot } from "./commands.ts"
import {
  accepted,
  close,
  completed,
  failed,
  failedFor,
  interrupted,
  leaveQueue,
  lostAtWork,
  overran,
  unready,
  unserved,
  wentQuiet
} from "./settlements.ts"
import type { SessionSetup } from "./setup.ts"

export const turningState = (parts: SessionSetup) => {
  /** How a turn that the agent has ends, whatever else is going on. */
  const ends = [
    { guard: "endedCancelled", target: "#session.idle.awake", actions: [interrupted, "resetBudget", "dropApprovals"] },
    { guard: "endedWell", target: "#session.idle.awake", actions: [completed, "resetBudget", "dropApprovals"] },
    { guard: "endedFatally", target: "#session.retiring", actions: [...failedFor, "noteFailure"] },
    { guard: "isThisTurn", target: "#session.idle.awake", actions: [failed, "dropApprovals"] }
  ] as const

  /** The answer counts; the process, which still owes the end of the turn, is retired. */
  const unended = { target: "#session.retiring", actions: [accepted, "noteUnended"] } as const

  /** It takes more of the machine than it may, so it is not asked first: each second takes more. */
  const exceeds = {
    guard: "isThisProcess",
    target: "#session.retiring.killing",
    actions: [failed, "noteExcess"]
  } as const

  /** The agent's own word; asked to stop, so that nothing of the turn runs any more when it counts as ended. */
  const aborts = { target: "#session.turning.interrupting", actions: "noteAborted" } as const

  /** A time is up while the agent is at work: what it has said decides before anything else does. */
  const unlessSaid = [
    { guard: "saidAborted", ...aborts },
    { guard: "saidAnswered", ...unended }
  ] as const

  /** The supervisor died before the prompt was handed over: the turn was accepted, so it goes on from its place in line. */
  const goesOn = { target: "#session.turning.queued", reenter: true, actions: "noteGone" } as const
  const lostBefore = [
    { guard: "carriesFailure", target: "#session.idle.asleep", actions: [failed, "noteGone"] },
    goesOn
  ] as const

  return parts.createStateConfig({
    initial: "queued",
    tags: ["turnOpen"],
    entry: openTurn,
    after: {
      turnWithin: [
        ...unlessSaid,
        { guard: "hasProcess", target: "#session.retiring", actions: [overran, "noteOverrun"] },
        { target: "#session.idle.asleep", actions: [overran, releaseSlot] }
      ]
    },
    on: {
      "turn.submitted": { guard: "canQueueBehindTurn", actions: "enqueue" },
      "interrupt.requested": { guard: "interruptsQueuedTurn", actions: leaveQueue },
      "expire.requested": { guard: "isNotClosing", actions: close },
      "settings.changed": { actions: "noteStale" },
      "process.lost": [
        { guard: "promptClaimed", target: "#session.idle.asleep", actions: [lostAtWork, "noteGone"] },
        goesOn
      ]
    },
    states: {
      queued: {
        tags: ["promptPending"],
        meta: { process: "none", waitsFor: "slot", owedBy: "troupe" },
        entry: takeSlot(true),
        after: { poolWait: { target: "#session.idle.asleep", actions: [unserved, releaseSlot] } },
        on: {
          "slot.granted": { target: "starting", actions: startProcess },
          "process.lost": lostBefore,
          "slot.refused": { guard: "refusesTurn", target: "#session.idle.asleep", actions: unserved },
          "interrupt.requested": {
            guard: "interruptsThisTurn",
            target: "#session.idle.asleep",
            actions: [interrupted, releaseSlot]
          },
          "close.requested": { target: "#session.closed", actions: [interrupted, releaseSlot, ...close] }
        }
      },
      starting: {
        tags: ["promptPending"],
        meta: { process: "starting", waitsFor: "agentStart", owedBy: "agent" },
        after: { startWithin: { target: "#session.retiring.killing", actions: [unready, "noteSlow"] } },
        on: {
          "process.ready": { target: "running", actions: ["noteReady", ...handPrompt] },
          "process.lost": lostBefore,
          "process.failed": { target: "#session.retiring.killing", actions: [...failedFor, "noteDeath"] },
          "process.exited": { target: "#session.retiring.killing", actions: [...failedFor, "noteDeath"] },
          "limit.exceeded": exceeds,
          "interrupt.requested": { guard: "interruptsThisTurn", target: "#session.idle.waking", actions: interrupted },
          "close.requested": { target: "#session.retiring.killing", actions: [interrupted, ...close] }
        }
      },
      running: {
        tags: ["agentAtWork", "steerable"],
        meta: { process: "up", waitsFor: "turnEnd", owedBy: "agent" },
        on: {
          "turn.ended": ends,
          "turn.answered": { guard: "isThisTurn", ...unended },
          "turn.aborted": { guard: "isThisTurn", ...aborts },
          "approval.asked": { target: "asking", actions: "addApproval" },
          "agent.quiet": [...unlessSaid, { target: "probing" }],
          "interrupt.requested": { guard: "interruptsThisTurn", target: "interrupting", actions: "noteReason" },
          "close.requested": { target: "interrupting", actions: close },
          "limit.exceeded": exceeds,
          "process.exited": { target: "#session.retiring.killing", actions: [failed, "noteDeath"] }
        }
      },
      asking: {
        tags: ["agentAtWork", "steerable", "approvalsOpen"],
        meta: { process: "up", waitsFor: "answer", owedBy: "person" },
        on: {
          "turn.ended": ends,
          "turn.answered": { guard: "isThisTurn", ...unended },
          "turn.aborted": { guard: "isThisTurn", ...aborts },
          "approval.asked": { actions: "addApproval" },
          "approval.settled": [
            { guard: "isLastApproval", target: "running", actions: "dropApproval" },
            { actions: "dropApproval" }
          ],
          "interrupt.requested": { guard: "interruptsThisTurn", target: "interrupting", actions: "noteReason" },
          "close.requested": { target: "interrupting", actions: close },
          "limit.exceeded": exceeds,
          "process.exited": { target: "#session.retiring.killing", actions: [failed, "noteDeath"] }
        }
      },
      /** Wedged, or only slow? One that answers an interrupt is alive and kept; one that doesn't is retired. */
      probing: {
        tags: ["agentAtWork"],
        meta: { process: "up", waitsFor: "lifeSign", owedBy: "agent" },
        entry: interruptTurn,
        after: {
          interruptAgain: { actions: interruptTurn },
          interruptWithin: { target: "#session.retiring", actions: [wentQuiet, "noteQuiet"] }
        },
        on: {
          "turn.ended": { guard: "isThisTurn", target: "#session.idle.awake", actions: [wentQuiet, "dropApprovals"] },
          "agent.quiet": unlessSaid,
          "turn.answered": { guard: "isThisTurn", ...unended },
          "turn.aborted": { guard: "isThisTurn", ...aborts },
          "interrupt.requested": { guard: "interruptsThisTurn", target: "interrupting", actions: "noteReason" },
          "close.requested": { target: "interrupting", actions: close },
          "limit.exceeded": exceeds,
          "process.exited": { target: "#session.retiring.killing", actions: [wentQuiet, "noteDeath"] }
        }
      },
      /** Asked, asked again, then retired. */
      interrupting: {
        tags: ["interrupting"],
        meta: { process: "up", waitsFor: "interruptedEnd", owedBy: "agent" },
        entry: interruptTurn,
        after: {
          interruptAgain: { actions: interruptTurn },
          interruptWithin: { target: "#session.retiring", actions: interrupted }
        },
        on: {
          "turn.ended": [
            { guard: "endedByDeath", target: "#session.retiring", actions: [interrupted, "noteFailure"] },
            ...ends
          ],
          "turn.aborted": {},
          "process.lost": [
            { guard: "promptClaimed", target: "#session.idle.asleep", actions: [lostAtWork, "noteGone"] },
            { target: "#session.idle.asleep", actions: [interrupted, "noteGone"] }
          ],
          "interrupt.requested": { guard: "interruptsThisTurn" },
          "close.requested": { actions: close },
          "limit.exceeded": {
            guard: "isThisProcess",
            target: "#session.retiring.killing",
            actions: [interrupted, "noteExcess"]
          },
          "process.exited": { target: "#session.retiring.killing", actions: [interrupted, "noteDeath"] }
        }
      }
    }
  })
}
