/** `claude -p`: one prompt, one process, one answer, no session. */
import { Context } from "effect"
import type { Effect } from "effect"
import type { Schema } from "effect"

export interface RunRequest {
  readonly prompt: string
  readonly model: string | null
  readonly system: string | null
  readonly timeoutMillis: number
  readonly cwd: string
}

/** `result` is the model's JSON where its whole reply parses as JSON, else its text. */
export type RunResult =
  | {
      readonly ok: true
      readonly result: Schema.Json
      readonly durationMillis: number
      readonly stopReason: string
    }
  | {
      readonly ok: false
      readonly error: string
      readonly stderr: string
      readonly durationMillis: number
      /** `timeout` where the deadline ended it. */
      readonly stopReason: string
    }

export class OneShot extends Context.Service<
  OneShot,
  {
    /** A failure is a result. The process and all it started are gone when this returns. */
    readonly run: (request: RunRequest) => Effect.Effect<RunResult>
  }
>()("troupe/agent/OneShot") {}
