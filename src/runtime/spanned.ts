/**
 * A span where there is a tracer. Without one nobody sees it, and `Effect.fn` would take a look at the stack for each call
 * all the same: for what every turn calls.
 */
import { Effect, Tracer } from "effect"

export const spanned =
  (name: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> =>
    Effect.withFiber((fiber) => {
      const isSeen = fiber.getRef(Tracer.Tracer) !== Tracer.nativeTracer
      return isSeen ? Effect.withSpan(effect, name) : (effect as Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>>)
    })
