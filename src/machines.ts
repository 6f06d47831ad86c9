/** `troupe/machines`: what can happen to a session, as XState machines to draw, walk, or build a page on. */
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
