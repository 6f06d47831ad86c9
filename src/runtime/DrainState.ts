/**
 * Whether the runtime still takes new work: set by a drain, checked by every service that begins some.
 *
 * A session at work when a drain begins goes on, but for what would bring its next turn to an agent: that is held back, so
 * that the turn is run by another node, or by the next start of Troupe.
 */
import { Context, Latch, Layer } from "effect"
import type { Effect } from "effect"
import type { SessionId } from "../domain/Ids.ts"

export class DrainState extends Context.Service<
  DrainState,
  {
    readonly draining: () => boolean
    readonly drain: () => void
    /** It takes new work again. What was held back stays so, until its session is let go of. */
    readonly undrain: () => void
    /** A command of the session that would bring a turn to an agent stays in its outbox. */
    readonly holdBack: (session: SessionId) => void
    readonly isHeldBack: (session: SessionId) => boolean
    /** Nothing of the session is held back here any more: its actor was stopped. */
    readonly letGo: (session: SessionId) => void
    /** Told, synchronously, of each change. */
    readonly watch: (changed: () => void) => void
    /** Waits until the runtime drains; at once where it does. */
    readonly begun: Effect.Effect<void>
  }
>()("troupe/runtime/DrainState") {
  static readonly layer = Layer.sync(DrainState, () => {
    const begun = Latch.makeUnsafe(false)
    const heldBack = new Set<SessionId>()
    const watchers: Array<() => void> = []
    const changed = () => watchers.forEach((tell) => tell())
    let draining = false
    return DrainState.of({
      draining: () => draining,
      drain: () => {
        draining = true
        begun.openUnsafe()
        changed()
      },
      undrain: () => {
        draining = false
        begun.closeUnsafe()
        changed()
      },
      holdBack: (session) => {
        heldBack.add(session)
        changed()
      },
      isHeldBack: (session) => heldBack.has(session),
      letGo: (session) => void heldBack.delete(session),
      watch: (tell) => void watchers.push(tell),
      begun: begun.await
    })
  })
}
