/**
 * What changes between two steps of a turn: which timer fires next, as the watch over its agent's silence is armed and
 * disarmed by what the agent says, which tools run, and its place in the line for a slot. Its session is looked at a second
 * after its agent said something, and every few seconds while it waits in line, as long as somebody reads.
 */
import { Effect, Latch } from "effect"
import { infoOf } from "../../../machines/session/stateInfo.ts"
import type { SessionId } from "../../domain/Ids.ts"
import { SessionHost } from "../../supervision/SessionHost.ts"
import { seen } from "./seenSession.ts"
import type { SeenSession } from "./seenSession.ts"

/** A session's last step, and its row since. */
export interface ShownStep {
  readonly seq: number
  readonly at: number
  readonly summary: SeenSession
}

const lookAfter = "1 second"
const lookAtLineEvery = "3 seconds"

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
      const summary = seen(before.summary, looked)
      if (isSame(summary, before.summary)) continue
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

  const isDue = (session: SessionId) => {
    spoke.add(session)
    someSpoke.openUnsafe()
  }
  yield* Effect.sync(() => {
    if (!isRead()) return
    for (const { summary } of last.values()) if (waitsInLine(summary)) isDue(summary.id)
  }).pipe(Effect.andThen(Effect.sleep(lookAtLineEvery)), Effect.forever, Effect.forkScoped)

  return {
    /** With what was known of the turn before the step. */
    stepped: <S extends ShownStep>(step: S): S => {
      const { at, seq, summary } = step
      if (summary.state !== "turning") {
        last.delete(summary.id)
        return step
      }
      const before = last.get(summary.id)?.summary
      const { heardAt, tools } = before?.turn === summary.turn ? before : summary
      const shown = { ...summary, heardAt, tools }
      last.set(summary.id, { seq, at, summary: shown })
      isDue(summary.id)
      return { ...step, summary: shown }
    },
    spoke: (session: SessionId) => {
      if (last.has(session)) isDue(session)
    },
    removed: (session: SessionId) => void last.delete(session)
  }
})

const waitsInLine = ({ substate }: SeenSession) => infoOf(substate)?.waitsFor === "slot"

/** An agent that writes is not told of at each of its words. */
const heardMillis = 10_000

const isSame = (one: SeenSession, other: SeenSession) =>
  Math.abs((one.heardAt ?? 0) - (other.heardAt ?? 0)) < heardMillis &&
  one.next?.timer === other.next?.timer &&
  one.next?.dueAt === other.next?.dueAt &&
  one.line?.place === other.line?.place &&
  one.line?.waiting === other.line?.waiting &&
  one.circuit?.until === other.circuit?.until &&
  one.tools.length === other.tools.length &&
  one.tools.every(({ since, title }, n) => title === other.tools[n]?.title && since === other.tools[n].since)
