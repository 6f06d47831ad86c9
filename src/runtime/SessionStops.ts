/**
 * Tells those who wait for something of a session that nobody works on it now: its actor was given up, or was stopped. What
 * is open stays open until it is started again.
 *
 * Not news: nothing is stored by it.
 */
import { Context, Layer } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import { addMember, countMembers } from "./membersByKey.ts"

type Waiter = (cause: unknown) => void

export class SessionStops extends Context.Service<
  SessionStops,
  {
    readonly tell: (session: SessionId, cause: unknown) => void
    /** All who wait, whatever for, and all who will: this process is about to end. */
    readonly tellAll: (cause: unknown) => void
    /** The waiter is called synchronously. Returns what ends the watch, which may be called within that call. */
    readonly watch: (session: SessionId, waiter: Waiter) => () => void
    readonly waiters: () => number
  }
>()("troupe/runtime/SessionStops") {
  static readonly layer = Layer.sync(SessionStops, () => {
    let end: { readonly cause: unknown } | null = null
    const waiters = new Map<SessionId, Set<Waiter>>()
    return SessionStops.of({
      tell: (session, cause) => {
        // Of a copy: who is told may ask again at once, and must not be told the same again.
        const told = [...(waiters.get(session) ?? [])]
        for (const waiter of told) waiter(cause)
      },
      tellAll: (cause) => {
        end = { cause }
        const told = [...waiters.values()].flatMap((each) => [...each])
        for (const waiter of told) waiter(cause)
      },
      watch: (session, waiter) => {
        const stop = addMember(waiters, session, waiter)
        if (end !== null) {
          const { cause } = end
          queueMicrotask(() => waiter(cause))
        }
        return stop
      },
      waiters: () => countMembers(waiters)
    })
  })
}
