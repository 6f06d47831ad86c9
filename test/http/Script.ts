import type { Deferred, Queue } from "effect"
import type { StoredEvent } from "../../src/domain/Session.ts"
import type { Caller } from "../../src/services/Sessions.ts"

/** What the tests can inspect and control. */
export interface Script {
  readonly submitted: Array<{
    readonly caller: Caller
    readonly prompt: string
    readonly timeoutMillis: number | undefined
  }>
  readonly interrupted: Array<string>
  readonly stored: Array<{ readonly name: string; readonly bytes: number }>
  /** Ends the turn of the prompt `wait for it`. */
  readonly release: Deferred.Deferred<void>
  /** The live events of `ses_live`, which follow the stored ones. */
  readonly live: Queue.Queue<StoredEvent>
  /** Every line of the server's log, with its annotations and causes, as text. */
  readonly log: Array<string>
  /** The number of events that were read from `ses_flood`, which never ends. */
  flooded: number
}
