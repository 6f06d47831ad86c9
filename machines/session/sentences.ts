/** What each state and each transition of the session machine means, in a sentence for an operator. A turn's: `turnSentences.ts`. */
import { timeWords } from "../describe.ts"
import type { Sentences } from "../describe.ts"
import { fixedDelays, startWithin } from "./delays.ts"
import type { SessionBounds } from "./delays.ts"
import { turnSentences } from "./turnSentences.ts"

const closed = "It was asked to close and has no process, so it is closed at once."
const expired = "Its lifetime is over and it has no process, so it is closed."
const retired = "It was asked to close, so its process is asked to exit first."
const retiredForAge = "Its lifetime is over, so its process is asked to exit first."
const killedToClose = {
  hasProcess: "It was asked to close, so the process that comes up is killed.",
  else: "It was asked to close and no process was started yet: its slot is given back, and it is closed."
}
const killedForAge = {
  hasProcess: "Its lifetime is over, so the process that comes up is killed.",
  else: "Its lifetime is over and no process was started yet: its slot is given back, and it is closed."
}
const tooMuch = "Its processes use more memory than an operator allows, or are too many, so they are killed."
const leftLine = "A turn that waits in line is interrupted: it ends without having reached the agent."
const killedNow = "The process has exited: whatever it has left behind is killed."

export const sentencesWith = (bounds: SessionBounds): Sentences => ({
  idle: {
    state: "No turn runs; the session waits for one, comes back after a fault, or is left alone for now.",
    on: { "settings.changed": "Its settings changed: where it has a process, that is renewed before the next turn." }
  },
  "idle.asleep": {
    state: "It has no process and nothing to do; the next turn starts one.",
    on: {
      always: {
        isClosing: "It was asked to close while its process was ended, so it is closed now.",
        hasQueued: "A turn waits in line, so it begins."
      },
      "turn.submitted": "A prompt comes, and its turn begins: it waits for a process first.",
      "agent.chosen": "Another agent is chosen for it before its first turn, which that one gets.",
      "close.requested": closed,
      "expire.requested": expired
    }
  },
  "idle.awake": {
    state: `Its process is up and has nothing to do; without a turn it is ended after ${timeWords(bounds.hibernateAfterMillis)}.`,
    on: {
      always: {
        isClosing: "It was asked to close while a turn ran, so its process is ended now.",
        isStale: "Its settings changed since its process began, so that is ended, and the next turn gets a new one.",
        hasQueued: "A turn waits in line, so its prompt is handed to the agent."
      },
      "after hibernateAfter": `No turn came for ${timeWords(bounds.hibernateAfterMillis)}, so its process is ended to save memory.`,
      "turn.submitted": "A prompt comes, and is handed to the agent at once.",
      "process.exited": "Its process died although no turn ran; what it has left is killed.",
      "process.lost": "Troupe was restarted and the process with it; the next turn starts another.",
      "limit.exceeded":
        "Its processes use more memory than an operator allows, or are too many: they are asked to exit, and the conversation goes on in the next.",
      "hibernate.requested": "Its process is ended, because another session needs the slot or somebody asked for it.",
      "close.requested": retired,
      "expire.requested": retiredForAge
    }
  },
  "idle.waking": {
    state: `Its process died, and another one is started without a turn; it has ${timeWords(startWithin(bounds))} to say that it is ready.`,
    on: {
      always: {
        isClosing: "It is to be closed, so the process that comes up is killed.",
        isStale: "Its settings changed meanwhile, so the process that comes up with the old ones is killed.",
        canStartQueued: "A turn waits in line and takes the process that comes up.",
        hasQueued: "A turn waits in line, so it begins: it waits for a process."
      },
      "after startWithin": {
        hasProcess: "The process did not say in time that it is ready, so it is killed.",
        else: "It got no slot in time; nobody waits, so it sleeps, and the next turn starts a process."
      },
      "slot.granted": "It may have a process, so one is started.",
      "slot.refused": "No slot is free; nobody waits, so it sleeps, and the next turn starts a process.",
      "process.ready": "The agent is ready, and its conversation goes on.",
      "process.failed": "The process could not be started; what it has left is killed.",
      "process.exited": "The process died while it came up; what it has left is killed.",
      "process.lost": "Troupe was restarted and the process with it; the next turn starts another.",
      "limit.exceeded": tooMuch,
      "turn.submitted": {
        hasProcess: "A prompt comes and takes the process that comes up.",
        else: "A prompt comes, and its turn begins: it waits for a process."
      },
      "hibernate.requested": {
        hasProcess: "It is to sleep, so the process that comes up is killed.",
        else: "It is to sleep, so its slot is given back."
      },
      "close.requested": killedToClose,
      "expire.requested": killedForAge
    }
  },
  "idle.backingOff": {
    state: "Its process died; it waits before the next start, the longer the more often it died.",
    on: {
      always: "A turn waits in line, so it begins: it starts a process when the wait is over.",
      "after backoff": "The wait is over, so another process is started, where a slot is free.",
      "turn.submitted": "A prompt comes, and its turn begins: it starts a process when the wait is over.",
      "close.requested": closed,
      "expire.requested": expired
    }
  },
  "idle.parked": {
    state:
      "Its process died too often, or the agent's account is used up: it takes no turn until a time, or until an operator unparks it.",
    on: {
      "after parkFor": "The pause is over, so it takes turns again.",
      "turn.submitted": "A prompt comes and waits in line until the agent's account can be used again.",
      "interrupt.requested": leftLine,
      "unpark.requested": "An operator unparks it: its deaths are forgiven, and it takes turns again.",
      "close.requested": "It was asked to close: the turns in line end, and it is closed.",
      "expire.requested": "Its lifetime is over: the turns in line end, and it is closed."
    }
  },
  retiring: {
    state: "Its process is being ended: asked first, then by SIGTERM, then by SIGKILL.",
    on: {
      "turn.submitted": "A prompt comes and waits in line until the process is gone.",
      "interrupt.requested": leftLine,
      "close.requested": "It was asked to close: the turns in line end, and it is closed when the process is gone.",
      "expire.requested": "Its lifetime is over: the turns in line end, and it is closed when the process is gone.",
      "settings.changed": "Its settings changed: the next process has them.",
      "process.lost": {
        isLimited: "Troupe was restarted and the process is gone; the agent's account is used up, so it waits.",
        else: "Troupe was restarted and the process is gone; it sleeps."
      }
    }
  },
  "retiring.asking": {
    state: `Its process was asked to exit, and has ${timeWords(fixedDelays.exitWithin)} for it.`,
    on: {
      "after exitWithin": "The process did not exit as it was asked to, so it gets SIGTERM.",
      "process.exited": killedNow,
      "limit.exceeded": tooMuch
    }
  },
  "retiring.terminating": {
    state: `Its process got SIGTERM, and has ${timeWords(fixedDelays.terminateWithin)} to end.`,
    on: {
      "after terminateWithin": "The process ignored SIGTERM, so all that is left is killed.",
      "process.exited": killedNow,
      "limit.exceeded": tooMuch
    }
  },
  "retiring.killing": {
    state: `All that is left of its process got SIGKILL, until the kernel says that nothing is there; again every ${timeWords(fixedDelays.killAgain)}.`,
    on: {
      "after killAgain": "Something of it is still there, so it is killed again.",
      "process.exited": "The process itself has exited; what it has started may still be there.",
      "process.gone": {
        isClosing: "Nothing of its process is left, and it was asked to close: it is closed.",
        isOverBudget:
          "Nothing of its process is left, and it has died too often: the turns in line fail, and it is parked.",
        isLimited: "Nothing of its process is left, and the agent's account is used up: it waits until that is over.",
        hasCrashed: "Nothing of its process is left, which died of a fault: it waits, and then starts another.",
        else: "Nothing of its process is left; it sleeps until the next turn."
      }
    }
  },
  closed: { state: "It is over for ever; what was said can be read until it is deleted." },
  ...turnSentences(bounds)
})
