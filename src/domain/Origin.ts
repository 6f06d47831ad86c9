/** Where a turn comes from, as far as whoever operates Troupe wants to find it again. Held in memory only. */
import { Schema } from "effect"

export const Origin = Schema.Struct({
  /** The id of the request, as its answer's `x-request-id` has it. */
  request: Schema.optionalKey(Schema.String),
  /** What its turn is a part of, as a `traceparent` (`domain/traceparent.ts`). */
  trace: Schema.optionalKey(Schema.String)
})
export type Origin = typeof Origin.Type
