/** What an operator can ask of the whole: is it well, sweep now, drain, and numbers. */
import { Context } from "effect"
import type { Effect } from "effect"
import type { SessionState } from "../domain/Session.ts"
import type { Unavailable } from "../domain/Refusal.ts"

export interface Counts {
  readonly sessions: Readonly<Record<SessionState, number>>
  readonly processes: number
  readonly maxProcesses: number
  readonly waiting: number
}

export class Operator extends Context.Service<
  Operator,
  {
    /** Ledger writable, default agent resolvable, not draining. The reasons, where not. */
    readonly ready: Effect.Effect<{ readonly ready: boolean; readonly reasons: ReadonlyArray<string> }>
    readonly sweep: Effect.Effect<{ readonly softClosed: number; readonly hardDeleted: number }, Unavailable>
    readonly counts: Effect.Effect<Counts, Unavailable>
    /**
     * No new work from now on; running turns may finish until the deadline and are interrupted then; every process is
     * retired. Sessions stay open in the ledger and wake at the next boot.
     */
    readonly drain: (deadlineMillis: number) => Effect.Effect<void>
  }
>()("troupe/services/Operator") {}
