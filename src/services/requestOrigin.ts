/** Of which request a turn comes, for the log and for traces. */
import { Context, Effect, Tracer } from "effect"
import type { Origin } from "../domain/Origin.ts"
import { traceparentOf } from "../domain/traceparent.ts"

/** Provided by whoever takes requests. */
export const RequestOrigin = Context.Reference<Origin>("troupe/services/RequestOrigin", { defaultValue: () => ({}) })

/** With the span that is open here, where there is a tracer: a turn is a part of it. */
export const requestOrigin: Effect.Effect<Origin> = Effect.withFiber((fiber) => {
  const origin = fiber.getRef(RequestOrigin)
  if (fiber.getRef(Tracer.Tracer) === Tracer.nativeTracer) return Effect.succeed(origin)
  const span = Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
  return Effect.succeed(span === undefined ? origin : { ...origin, trace: traceparentOf(span) })
})
