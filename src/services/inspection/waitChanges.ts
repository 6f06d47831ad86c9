/**
 * What changes between two steps of a running turn: which timer fires next, as the watch over its agent's silence is armed and
 * disarmed by what the agent says. Its session is looked at a second after the agent said something, while somebody reads.
 */
import { Effect, Latch } from "effect"
import type { SessionId } from "../../domain/Ids.ts"
import type { SessionSummary } from "../../ledger/Ledger.ts"
import { SessionHost } from "../../supervision/SessionHost.ts"
import { withActorsNext } from "./actorTimers.ts"

/** A session's last step, and its row since. */
export interface ShownStep {
  readonly seq: number
  readonly at: number
  readonly summary: SessionSummary
}

const lookAfter = "1 second"

/** Until the scope closes. */
export const make = Effect.fnUntraced(function* (isRead: () => boolean, tell: (step: ShownStep) => void) {
  const host = yield* SessionHost
  /** Of each session in which a turn runs, with the row that was told last. */
  const last = new Map<SessionId, ShownStep>()
  const spoke = new Set<SessionId>()
  const someSpoke = yield* Latch.make()

  const look = Effect.gen(function* () {
    const sessions = [...spoke]
    spoke.clear()
    yield* someSpoke.close
    // Whoever begins to read gets the rows first, with their timers.
    if (!isRead()) return
    for (const looked of yield* host.look({ sessions, parts: [] })) {
      const before = last.get(looked.session)
      if (before === undefined) continue
      const summary = withActorsNext(before.summary, looked)
      if (isSame(summary.next, before.summary.next)) continue
      const shown = { ...before, summary }
      last.set(looked.session, shown)
      tell(shown)
    }
  })
  yield* someSpoke.await.pipe(
    Effect.andThen(Effect.sleep(lookAfter)),
    Effect.andThen(look),
    Effect.forever,
    Effect.forkScoped
  )

  return {
    stepped: ({ at, seq, summary }: ShownStep) => {
      if (summary.state === "turning") last.set(summary.id, { seq, at, summary })
      else last.delete(summary.id)
    },
    spoke: (session: SessionId) => {
      if (!last.has(session)) return
      spoke.add(session)
      someSpoke.openUnsafe()
    },
    removed: (session: SessionId) => void last.delete(session)
  }
})

const isSame = (one: SessionSummary["next"], other: SessionSummary["next"]) =>
  one?.timer === other?.timer && one?.dueAt === other?.dueAt
