/** The package `troupe/machines`: the state machines of sessions and reviews, to draw, to explore, or to build a page on. */
export { begin, decide } from "../machines/decide.ts"
export type { CommandsOf, Decision, Timer } from "../machines/decide.ts"
export { longestQueue, sessionMachine, sessionMachineWith } from "../machines/session/machine.ts"
export type {
  SessionBounds,
  SessionCommand,
  SessionContext,
  SessionEvent,
  SessionSnapshot
} from "../machines/session/machine.ts"
export { reviewMachine, reviewMachineWith } from "../machines/review/machine.ts"
export type {
  ReviewBounds,
  ReviewCommand,
  ReviewContext,
  ReviewEnding,
  ReviewEvent,
  ReviewSnapshot
} from "../machines/review/machine.ts"
