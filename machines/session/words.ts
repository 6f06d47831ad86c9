/**
 * The session machine's names in plain words, for people: what can happen, what is waited for, what is ordered. One table,
 * which the dashboard, its exports and the docs use; each name of the machine has its words, or this does not compile.
 */
import type { StateMachine } from "xstate"
import type { SessionCommand, SessionMachine } from "./machine.ts"
import type { SessionEvent } from "./events.ts"

// oxlint-disable typescript/no-explicit-any -- the machine's other parameters do not matter here
type Names =
  SessionMachine extends StateMachine<any, any, any, any, any, infer G, infer D, any, any, any, any, any, any, any>
    ? { readonly guard: G extends { readonly type: infer T extends string } ? T : never; readonly delay: D & string }
    : never
// oxlint-enable typescript/no-explicit-any

/** What happens. As a label of an arrow, and as a line of a list. */
export const eventWords: Readonly<Record<SessionEvent["type"], string>> = {
  "turn.submitted": "a prompt comes",
  "turn.ended": "the turn ends",
  "interrupt.requested": "somebody interrupts",
  "approval.asked": "it asks a person",
  "approval.settled": "answered, or too late",
  "turn.answered": "the answer is complete",
  "turn.aborted": "it says it aborted",
  "agent.quiet": "silent too long",
  "slot.granted": "a slot is free",
  "slot.refused": "no slot is free",
  "process.ready": "the agent is ready",
  "process.failed": "the start fails",
  "process.exited": "its process exits",
  "limit.exceeded": "it uses too much",
  "process.gone": "no process is left",
  "process.lost": "Troupe restarts",
  "hibernate.requested": "it is to sleep",
  "close.requested": "it is to close",
  "expire.requested": "its lifetime is over",
  "unpark.requested": "it is unparked",
  "settings.changed": "its settings change",
  "agent.chosen": "another agent is chosen"
}

/** What happens by itself after a while. */
export const delayWords: Readonly<Record<Names["delay"], string>> = {
  hibernateAfter: "no turn for long",
  poolWait: "no slot in time",
  parkFor: "the pause is over",
  backoff: "the wait is over",
  turnWithin: "its time is up",
  startWithin: "not ready in time",
  interruptAgain: "asked to stop again",
  interruptWithin: "did not stop in time",
  exitWithin: "did not exit in time",
  terminateWithin: "did not end in time",
  killAgain: "killed again"
}

/** What a session has done for it. */
export const commandWords: Readonly<Record<SessionCommand["type"], string>> = {
  openTurn: "open the turn",
  settleTurn: "store the turn's outcome",
  settleQueued: "end turns in line",
  takeSlot: "wait for a free process slot",
  releaseSlot: "give the process slot back",
  startProcess: "start the agent's process",
  handPrompt: "hand the prompt to the agent",
  interruptTurn: "ask the agent to stop",
  askToExit: "ask the process to exit",
  terminateProcess: "end the process by SIGTERM",
  endProcess: "kill what is left by SIGKILL"
}

/** On what it depends which arrow is taken. */
export const guardWords: Readonly<Record<Names["guard"], string>> = {
  hasProcess: "it has a process",
  hasNoProcess: "it has no process",
  isStale: "its settings changed since the process began",
  isUnused: "it never had a turn, nor a conversation",
  hasQueued: "a turn waits in line",
  canQueueBehindTurn: "the turn may wait in line, and the line has room",
  canStartQueued: "a process is coming up and a turn waits",
  canQueueWhileRetiring: "the line has room",
  canQueueWhilePaused: "the turn may wait until the pause is over",
  isLimited: "the agent's account is used up",
  isClosing: "it is being closed",
  isNotClosing: "it is not being closed yet",
  hasCrashed: "the process died of a fault",
  isOverBudget: "it died too often",
  isThisProcess: "it is about this process",
  isThisTurn: "it is about this turn",
  interruptsThisTurn: "it is about this turn",
  interruptsQueuedTurn: "it is about a turn in line",
  refusesTurn: "the turn needed the slot",
  endedWell: "it ended without a failure",
  endedCancelled: "the agent says it was cancelled",
  endedByDeath: "the agent died",
  endedFatally: "the failure is one that a process does not outlive",
  saidAborted: "the agent said that it aborted",
  saidAnswered: "the answer is complete already",
  promptClaimed: "the agent may have the prompt",
  carriesFailure: "it says how the turn failed",
  isLastApproval: "no other question is open"
}
