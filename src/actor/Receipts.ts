/** Idempotency-Key: the same key and request from the same app gets the first answer again, and nothing runs twice. */
import { Context } from "effect"
import type { Effect } from "effect"
import type { AppName } from "../domain/Ids.ts"
import type { IdempotencyConflict, Unavailable } from "../domain/Refusal.ts"

export interface Answer {
  readonly status: number
  /** JSON text, byte for byte what was sent the first time. */
  readonly body: string
}

export class Receipts extends Context.Service<
  Receipts,
  {
    /**
     * Runs `work` once for a key and keeps its answer for 24 hours. A second call while the first still runs waits for
     * it. A refusal with a status of 5xx that accepted nothing is not kept: the caller should try again with the same key.
     */
    readonly once: <E, R>(
      app: AppName,
      key: string,
      fingerprint: string,
      work: Effect.Effect<Answer, E, R>
    ) => Effect.Effect<Answer & { readonly replayed: boolean }, E | IdempotencyConflict | Unavailable, R>
  }
>()("troupe/actor/Receipts") {}
