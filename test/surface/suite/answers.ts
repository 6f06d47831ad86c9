/** What the suite does with an answer: it expects a refusal, or asks again until the answer is the wanted one. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { Refusal } from "../Surface.ts"

export const expectRefusal = (answer: Effect.Effect<unknown, Refusal>, status: number, code: string) =>
  Effect.map(Effect.flip(answer), (refused) => {
    assert.containSubset(refused, { status, code })
    return refused
  })

/** Polls until `holds` is true; a test in which it never is runs into its timeout. */
export const until = <A>(ask: Effect.Effect<A, Refusal>, holds: (answer: A) => boolean) =>
  Effect.repeat(Effect.delay(ask, "20 millis"), { until: holds })
