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
    /** For good: the runtime is about to stop. */
    readonly drain: () => void
    /**
     * As an operator asks; it takes new work again with `false`. What was held back stays so, until its session is let go
     * of. Returns whether that changes anything.
     */
    readonly setAside: (isAsked: boolean) => boolean
    /** The session is about to be let go of by itself: as if the runtime drained, for this one. */
    readonly leaves: (session: SessionId) => void
    /** Not any more. Returns whether something was held back meanwhile. */
    readonly stays: (session: SessionId) => boolean
    /** Whether what would bring a turn of the session to an agent is to be held back. */
    readonly holdsBack: (session: SessionId) => boolean
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
    const leaving = new Set<SessionId>()
    const watchers: Array<() => void> = []
    const changed = () => watchers.forEach((tell) => tell())
    let isEnding = false
    let isAside = false
    const draining = () => isEnding || isAside
    const become = (set: () => void) => {
      const before = draining()
      set()
      if (draining() === before) return false
      if (draining()) begun.openUnsafe()
      else begun.closeUnsafe()
      changed()
      return true
    }
    return DrainState.of({
      draining,
      drain: () => void become(() => (isEnding = true)),
      setAside: (isAsked) => become(() => (isAside = isAsked)),
      leaves: (session) => void leaving.add(session),
      stays: (session) => leaving.delete(session) && heldBack.has(session),
      holdsBack: (session) => draining() || leaving.has(session),
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
