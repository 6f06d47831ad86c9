/** What the states of a turn mean, and each transition out of them, in a sentence for an operator. */
import { timeWords } from "../describe.ts"
import type { Sentences } from "../describe.ts"
import { fixedDelays, startWithin } from "./delays.ts"
import type { SessionBounds } from "./delays.ts"

const ends = {
  endedCancelled: "The agent says that the turn was cancelled: it counts as interrupted, and the process stays up.",
  endedWell: "The agent has ended the turn: it is complete, and the process stays up.",
  endedFatally: "The turn failed in a way that the process does not outlive, so that is ended.",
  isThisTurn: "The turn failed; the process stays up for the next one."
}
const answered =
  "The answer is complete but the agent never ended the turn: the answer counts, and the process is ended."
const aborted = "The agent said in its text that the turn was aborted, so it is asked to stop."
const interrupts = "Somebody interrupts the turn, so the agent is asked to stop."
const closes = "The session is to be closed, so the agent is asked to stop first."
const exceeds =
  "Its processes use more memory than an operator allows, or are too many: the turn fails, and they are killed."
const died = "The agent's process died, so the turn fails; what it has left is killed."
const lostBefore = {
  carriesFailure: "Troupe was restarted, and an older version had failed the turn with it.",
  else: "Troupe was restarted before the agent had the prompt, so the turn goes on from its place in line."
}
const lostAtWork = "Troupe was restarted while the agent may have been at work: what came of the turn is not known."
const askedAgain = "The agent did not stop yet, so it is asked again."

export const turnSentences = (bounds: SessionBounds): Sentences => ({
  turning: {
    state: "A turn is open: it waits for a process, or an agent is at work on it.",
    on: {
      "after turnWithin": {
        saidAborted: "The turn's time is up, and the agent had said that it aborted: it is asked to stop.",
        saidAnswered: "The turn's time is up and its answer is complete: the answer counts, and the process is ended.",
        hasProcess: "The turn's time is up: it ends as timed out, and its process is ended.",
        else: "The turn's time is up before it got a process: it ends as timed out."
      },
      "turn.submitted": "Another prompt comes and waits in line behind this turn.",
      "interrupt.requested": "A turn that waits in line is interrupted: it ends without having reached the agent.",
      "expire.requested": "The session's lifetime is over: this turn may finish, those in line end, then it is closed.",
      "settings.changed": "Its settings changed: the process is renewed after this turn.",
      "process.lost": { promptClaimed: lostAtWork, else: lostBefore.else }
    }
  },
  "turning.queued": {
    state: `The turn waits for a free process slot, ${timeWords(bounds.poolWaitMillis)} at most (and before that for the wait after a death).`,
    on: {
      "after poolWait": "No slot came free in time, so the turn fails.",
      "slot.granted": "A slot is free, so the agent's process is started.",
      "process.lost": lostBefore,
      "slot.refused": "No slot can be had, so the turn fails.",
      "interrupt.requested": "Somebody interrupts the turn before it began.",
      "close.requested": "The session was asked to close: the turn is interrupted, and it is closed."
    }
  },
  "turning.starting": {
    state: `The agent's process is starting; it has ${timeWords(startWithin(bounds))} to say that it is ready.`,
    on: {
      "after startWithin":
        "The agent did not say in time that it is ready: the turn times out, and the process is killed.",
      "process.ready": "The agent is ready, so it gets the prompt.",
      "process.lost": lostBefore,
      "process.failed": "The process could not be started, so the turn fails.",
      "process.exited": "The process died while it came up, so the turn fails.",
      "limit.exceeded": exceeds,
      "interrupt.requested": "Somebody interrupts the turn; the process goes on coming up for the next one.",
      "close.requested": "The session was asked to close: the turn is interrupted, and the process is killed."
    }
  },
  "turning.running": {
    state: "The agent is at work on the turn.",
    on: {
      "turn.ended": ends,
      "turn.answered": answered,
      "turn.aborted": aborted,
      "approval.asked": "The agent asks a person for leave, or for an answer.",
      "agent.quiet": {
        saidAborted: "The agent is silent, and had said that the turn was aborted: it is asked to stop.",
        saidAnswered: "The agent is silent and its answer is complete: the answer counts, and the process is ended.",
        else: "The agent is silent for too long, so it is asked to stop, to find out whether it is alive."
      },
      "interrupt.requested": interrupts,
      "close.requested": closes,
      "limit.exceeded": exceeds,
      "process.exited": died
    }
  },
  "turning.asking": {
    state: "The agent waits for a person to allow something, or to answer.",
    on: {
      "turn.ended": ends,
      "turn.answered": answered,
      "turn.aborted": aborted,
      "approval.asked": "The agent asks one thing more.",
      "approval.settled": {
        isLastApproval: "The last open question is answered, expired or taken back, so the agent goes on.",
        else: "A question is answered, expired or taken back; others are open."
      },
      "interrupt.requested": interrupts,
      "close.requested": closes,
      "limit.exceeded": exceeds,
      "process.exited": died
    }
  },
  "turning.probing": {
    state: `The agent was silent for too long and is asked to stop; one that answers within ${timeWords(fixedDelays.interruptWithin)} is alive and kept.`,
    on: {
      "after interruptAgain": askedAgain,
      "after interruptWithin": "The agent gave no sign of life: the turn times out, and its process is ended.",
      "turn.ended": "The agent is alive: the turn times out for its silence, and the process stays up.",
      "agent.quiet": {
        saidAborted: "The agent had said that the turn was aborted: it is asked to stop.",
        saidAnswered: "The answer is complete: it counts, and the process is ended."
      },
      "turn.answered": answered,
      "turn.aborted": aborted,
      "interrupt.requested": interrupts,
      "close.requested": closes,
      "limit.exceeded": exceeds,
      "process.exited": "The silent agent's process died: the turn times out, and what it has left is killed."
    }
  },
  "turning.interrupting": {
    state: `The agent was asked to stop the turn, and has ${timeWords(fixedDelays.interruptWithin)} for it.`,
    on: {
      "after interruptAgain": askedAgain,
      "after interruptWithin":
        "The agent did not stop in time: the turn counts as interrupted, and its process is ended.",
      "turn.ended": {
        ...ends,
        endedByDeath: "The agent died while it was asked to stop: the turn counts as interrupted."
      },
      "turn.aborted": "The agent says that it aborted, which it was asked to: its end is waited for.",
      "process.lost": {
        promptClaimed: lostAtWork,
        else: "Troupe was restarted before the agent had the prompt: the turn counts as interrupted."
      },
      "interrupt.requested": "It is being interrupted already.",
      "close.requested": "The session is to be closed when the turn has stopped.",
      "limit.exceeded":
        "Its processes use more memory than an operator allows, or are too many: the turn counts as interrupted, and they are killed.",
      "process.exited": "The agent's process died: the turn counts as interrupted, and what it has left is killed."
    }
  }
})
