/**
 * What each class of failure means for a session.
 *
 * One row for each class of `src/domain/Turn.ts`: a new class does not compile until it is sorted here.
 */
import type { Failure, FailureClass } from "../../src/domain/Turn.ts"

export type { Failure, FailureClass } from "../../src/domain/Turn.ts"

export interface FailurePolicy {
  /**
   * The next turn may succeed without a person's help, so turns in line are still tried. `quota` is: its limit is lifted
   * by itself and waited for.
   */
  readonly retryable: boolean
  /** The process may serve the next turn. The provider's failures are not the process's. */
  readonly keepsProcess: boolean
  /** It counts as a death in the restart budget. What only a person can mend would use the budget up for nothing. */
  readonly countsAgainstBudget: boolean
  /** At a start it says something about the kind of agent, whatever the session: it counts in the circuit breaker. */
  readonly countsAgainstKind: boolean
}

export const failurePolicy: Readonly<Record<FailureClass, FailurePolicy>> = {
  auth: { retryable: false, keepsProcess: false, countsAgainstBudget: false, countsAgainstKind: false },
  config: { retryable: false, keepsProcess: false, countsAgainstBudget: false, countsAgainstKind: false },
  quota: { retryable: true, keepsProcess: false, countsAgainstBudget: false, countsAgainstKind: false },
  // Only a new session helps, so the turns in line go back to their callers unsent.
  conversation: { retryable: false, keepsProcess: false, countsAgainstBudget: false, countsAgainstKind: false },
  crash: { retryable: true, keepsProcess: false, countsAgainstBudget: true, countsAgainstKind: true },
  protocol: { retryable: true, keepsProcess: false, countsAgainstBudget: true, countsAgainstKind: true },
  // Of what it started, not of the agent: the next turn has a new process.
  limit: { retryable: true, keepsProcess: false, countsAgainstBudget: false, countsAgainstKind: false },
  timeout: { retryable: true, keepsProcess: false, countsAgainstBudget: true, countsAgainstKind: true },
  model: { retryable: true, keepsProcess: true, countsAgainstBudget: true, countsAgainstKind: false },
  not_delivered: { retryable: true, keepsProcess: true, countsAgainstBudget: true, countsAgainstKind: false },
  outcome_unknown: { retryable: true, keepsProcess: true, countsAgainstBudget: true, countsAgainstKind: false },
  pool_full: { retryable: true, keepsProcess: true, countsAgainstBudget: true, countsAgainstKind: false },
  interrupted: { retryable: true, keepsProcess: true, countsAgainstBudget: true, countsAgainstKind: false }
}

export const countsAgainstBudget = (failure: Failure): boolean => failurePolicy[failure.class].countsAgainstBudget

export const isFatalToProcess = (failure: Failure | null): boolean =>
  failure !== null && !failurePolicy[failure.class].keepsProcess

export const isOfQuota = (failure: Failure | null | undefined): failure is Failure => failure?.class === "quota"

/** Troupe died after the prompt was claimed: the agent may have worked on it, to its end or not. */
export const outcomeUnknown: Failure = {
  class: "outcome_unknown",
  message:
    "Troupe stopped while the agent was at work on this turn. Whether it finished is not known; look at what it did before you send the prompt again."
}
