/** The session machine's context and events: what it remembers, and what can happen to it. */
import type { SessionSettings } from "../../src/domain/Session.ts"
import type { Failure, FailureClass, ProcessExit } from "../../src/domain/Turn.ts"
import { failurePolicy } from "./failures.ts"
import { noPause } from "./quota.ts"
import type { QuotaPause } from "./quota.ts"
import { noRestarts } from "./restarts.ts"
import type { Restarts } from "./restarts.ts"

export interface WaitingTurn {
  readonly turn: number
  readonly timeoutMillis: number
}

export interface SessionContext {
  /** The turn that runs, or ran last; 0 before the first. */
  readonly turn: number
  readonly timeoutMillis: number
  /** Turns that wait in line behind it. */
  readonly queue: ReadonlyArray<WaitingTurn>
  /** A process was started and is not known to be gone. */
  readonly process: boolean
  /** The process was started with settings that have changed since: it is retired before the next prompt. */
  readonly stale: boolean
  /** Counts the processes, so that a message of an old one is never taken for the new one's. */
  readonly generation: number
  readonly upSince: number | null
  /** The agent's own id of the conversation, to resume. */
  readonly thread: string | null
  /** No prompt was handed over in that conversation yet: there is nothing in it to resume, or to lose. */
  readonly unspoken: boolean
  /** Approvals that the agent waits for. */
  readonly approvals: ReadonlyArray<string>
  readonly restarts: Restarts
  /** Whether the agent's account is used up, and how long the session pauses for that. */
  readonly limit: QuotaPause
  /** Retiring ends in `closed`. */
  readonly closing: boolean
  /** The process that is being retired died, or never came up, in a way that counts against the budget. */
  readonly crashed: boolean
  /** Why it retires, backs off or is parked. */
  readonly reason: string
}

export const initialContext: SessionContext = {
  turn: 0,
  timeoutMillis: 0,
  queue: [],
  process: false,
  stale: false,
  generation: 0,
  upSince: null,
  thread: null,
  unspoken: false,
  approvals: [],
  restarts: noRestarts,
  limit: noPause,
  closing: false,
  crashed: false,
  reason: ""
}

/** Time and chance come inside the event, so that the machine needs neither a clock nor randomness. */
interface Death {
  readonly failure: Failure
  readonly at: number
  readonly jitter: number
}

/**
 * What the agent has said in the running turn, read off its stored events. A fact of an event that comes while an agent
 * is at work; absent where it was not looked up, because nothing depends on it.
 */
export interface TurnFacts {
  /** Its text says that the turn was aborted, whatever the turn's end says. */
  readonly aborted: boolean
  /** Its answer stands complete; only the end of the turn is missing. */
  readonly answered: boolean
}

/** What an operator can limit of a session's processes: the memory of all together, and their number. */
export type SessionLimit = "rss" | "descendants"

export type SessionEvent =
  | {
      readonly type: "turn.submitted"
      readonly turn: number
      readonly timeoutMillis: number
      readonly queue: boolean
      readonly at: number
    }
  | {
      readonly type: "turn.ended"
      readonly turn: number
      readonly stopReason: string
      readonly failure: Failure | null
      readonly at: number
      readonly said?: TurnFacts
    }
  /** `turn`: that one and no other, whether it runs or waits in line. Absent: the one that runs. */
  | { readonly type: "interrupt.requested"; readonly reason: string; readonly turn?: number }
  | { readonly type: "approval.asked"; readonly id: string }
  | { readonly type: "approval.settled"; readonly id: string }
  /**
   * The turn's time is up and no end has come, but the agent's answer stands complete. Troupe 0.1.0 stored this in place
   * of the deadline; now the deadline itself comes, with `said.answered`. Kept so that stored histories can be replayed.
   */
  | { readonly type: "turn.answered"; readonly turn: number }
  /** The agent says in its text that the turn was aborted. It may be at work on it all the same. */
  | { readonly type: "turn.aborted"; readonly turn: number }
  /** Nothing was heard since a tool ended, for longer than the watchdog allows. */
  | { readonly type: "agent.quiet"; readonly said?: TurnFacts }
  | { readonly type: "slot.granted" }
  /** `urgent` is the request's that is refused: a turn waits for a slot, a session that only wakes again does not. */
  | { readonly type: "slot.refused"; readonly reason: string; readonly urgent?: boolean }
  /**
   * On a node that had not the session's files: `contextAsOf`: the agent's conversation was brought there as it was at the
   * end of that turn. `workdirLost`: the session's directory was not there, and begins empty.
   */
  | {
      readonly type: "process.ready"
      readonly thread: string
      readonly at: number
      readonly contextAsOf?: number
      readonly workdirLost?: true
    }
  /** `exit`: as the kernel says it, for people; no decision reads it. Absent in 0.1.0, and where it did not end by itself. */
  | ({ readonly type: "process.failed"; readonly exit?: ProcessExit } & Death)
  | ({ readonly type: "process.exited"; readonly exit?: ProcessExit } & Death)
  /** Its processes together use more than an operator allows. `generation`: those of this process, and of no other. */
  | {
      readonly type: "limit.exceeded"
      readonly generation: number
      readonly limit: SessionLimit
      readonly failure: Failure
    }
  /** The kernel knows no process of this session any more. */
  | { readonly type: "process.gone" }
  /**
   * The supervisor itself died, and the process with it. `claimed`: the open turn's prompt was claimed for handing over,
   * so the agent may have it; a turn whose prompt was not goes on. Troupe 0.1.0 stored the turn's `failure` instead, and
   * failed either turn.
   */
  | { readonly type: "process.lost"; readonly claimed?: boolean; readonly failure?: Failure }
  | { readonly type: "hibernate.requested"; readonly reason: string }
  | { readonly type: "close.requested"; readonly reason: string }
  /** Like a close, but a turn that runs may finish. */
  | { readonly type: "expire.requested"; readonly reason: string }
  | { readonly type: "unpark.requested" }
  /** Settings of the session, for its next turns. A turn that has begun goes on with those that it began with. */
  | { readonly type: "settings.changed"; readonly settings: SessionSettings }
  /** Another agent, with all settings that differ with it, before the first turn. */
  | { readonly type: "agent.chosen"; readonly agent: string; readonly settings: SessionSettings }

/** The failure that an event carries; `null` where it carries none. */
export const failureOf = (event: SessionEvent): Failure | null =>
  "failure" in event && event.failure !== undefined ? event.failure : null

/** Looked up for any event: the turn's deadline, an event of XState's own, carries it too. */
export const saidIn = (event: SessionEvent): TurnFacts =>
  "said" in event && event.said !== undefined ? event.said : { aborted: false, answered: false }

/** The turns in line would end with the same failure, so they are not tried. */
export const isNotRetryable = (event: SessionEvent): boolean => {
  const failure = failureOf(event)
  return failure !== null && !failurePolicy[failure.class].retryable
}

export type { Failure, FailureClass }
