/**
 * Short texts from one Troupe to the others on the same database. They are sent after what they tell of was committed, and
 * may get lost; whoever may have missed one is told so, and reads the ledger.
 */
import type { Effect, Scope } from "effect"

export type Heard =
  /** In the order in which the other Troupe announced them. `from` names it while it runs. */
  | { readonly _tag: "Notes"; readonly from: string; readonly notes: ReadonlyArray<string> }
  /** Something may have been announced that was not heard. */
  | { readonly _tag: "Missed" }

export interface Announcements {
  /** Notes have no line breaks, and at most `longestNote` bytes. Where it fails, the others are told so later. */
  readonly announce: (notes: ReadonlyArray<string>) => Effect.Effect<void>
  /** Another Troupe listens, or may. Where none does, nothing needs to be announced: one that comes is told that it missed something. */
  readonly hasListeners: () => boolean
  /** `false` while nothing can be heard: then `Missed` comes every few seconds. */
  readonly isHearing: () => boolean
  /** Until the scope closes; for one listener, which is called synchronously and must be quick. */
  readonly listen: (hear: (heard: Heard) => void) => Effect.Effect<void, never, Scope.Scope>
}

export const longestNote = 2_000
