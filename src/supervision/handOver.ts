/**
 * Lets go of sessions while this runtime drains: at once of those that have nothing to do, or whose turn no agent has yet,
 * and of each other one when its turn has ended. With several nodes another one goes on with them meanwhile.
 *
 * An idle agent is asked to end first, as when its session hibernates. A session is let go of when its process is gone.
 */
import { Effect, Latch, Schedule } from "effect"
import { stateName } from "../../machines/session/stateInfo.ts"
import type { StateName } from "../../machines/session/stateInfo.ts"
import type { SessionId } from "../domain/Ids.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { News } from "../runtime/News.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import type { SessionState } from "../session/Session.ts"
import { Supervisor } from "./Supervisor.ts"

/** Sessions that sleep are let go of in commits of so many, so that no other commit waits for long. */
const batch = 200
/** Between two looks at what is left, where nothing was heard: soon where an actor is about to end, of which nothing is heard. */
const lookAgainMillis = { soon: 50, late: 500 }

/** An idle process is asked to end. Its session is loaded, and has a process, or is about to get one. */
export const canHibernate: ReadonlySet<StateName> = new Set(["idle.awake", "idle.waking"])
/** No process is there, and only time brings the session on. */
export const waitsForTime: ReadonlySet<StateName> = new Set(["idle.backingOff", "idle.parked"])

export const reason = "Troupe is draining"

export interface HandOver {
  /** The session's open turn is with no agent, and is brought to none here. */
  readonly waits: (session: SessionState) => boolean
  /** Whether the session's open turn is with an agent, or is being ended there. */
  readonly isAtWork: (session: SessionState) => boolean
}

/** Works in the background whenever the runtime drains, until the scope closes. */
export const make = Effect.gen(function* () {
  const commandHandler = yield* CommandHandler
  const drainState = yield* DrainState
  const ledger = yield* Ledger
  const news = yield* News
  const supervisor = yield* Supervisor
  const { isAlone, token } = yield* ThisNode
  const scope = yield* Effect.scope
  const changed = yield* Latch.make()
  /** Something is done about these just now. */
  const busy = new Set<SessionId>()

  const waits = ({ record, snapshot }: SessionState) =>
    snapshot.hasTag("promptPending") || drainState.isHeldBack(record.id)

  const inBackground = (id: SessionId, act: Effect.Effect<unknown, unknown>) => {
    busy.add(id)
    const done = Effect.ensuring(
      act.pipe(
        // While the ledger is away it fails at once, again and again.
        Effect.catch((cause) =>
          Effect.andThen(
            Effect.logDebug(`session ${id} could not be let go of yet`, cause),
            Effect.sleep(lookAgainMillis.soon)
          )
        )
      ),
      Effect.sync(() => {
        busy.delete(id)
        changed.openUnsafe()
      })
    )
    return Effect.forkIn(done, scope, { startImmediately: true })
  }

  const letGoOf = (id: SessionId) => inBackground(id, supervisor.letGo(id))

  const look = Effect.fnUntraced(function* (session: SessionState) {
    const { id } = session.record
    // What is asked of it is answered first: the step for it is heard.
    if (busy.has(id) || supervisor.hasMail(id)) return
    const state = stateName(session.snapshot)
    if (waits(session) || waitsForTime.has(state)) return yield* letGoOf(id)
    if (!canHibernate.has(state)) return
    yield* inBackground(id, supervisor.send(id, { event: { type: "hibernate.requested", reason }, by: "troupe" }))
  })

  /** Those that no actor works on. */
  const letGoOfSleeping = Effect.gen(function* () {
    const loaded = supervisor.views().map(({ record }) => record.id)
    const kept = [...loaded, ...busy, ...commandHandler.sessionsWithProcess()]
    const claims = yield* ledger.claimsOf(token, kept, batch)
    if (claims.length === 0) return
    yield* ledger.write(claims.map((claim) => ({ _tag: "SessionReleased", claim })))
    news.moved(claims.map(({ session }) => session))
    if (claims.length === batch) changed.openUnsafe()
  }).pipe(
    // One of them was claimed, or removed, meanwhile; or the ledger is away.
    Effect.catch((cause) => Effect.logDebug("sessions could not be let go of yet", cause))
  )

  const round = Effect.gen(function* () {
    yield* changed.close
    if (drainState.draining()) {
      yield* Effect.forEach(supervisor.views(), look, { discard: true })
      if (!isAlone) yield* letGoOfSleeping
    } else {
      // It takes new work again, and what was held back meanwhile is still to be let go of.
      const held = supervisor.views().filter(({ record }) => drainState.isHeldBack(record.id))
      yield* Effect.forEach(held, ({ record }) => (busy.has(record.id) ? Effect.void : letGoOf(record.id)), {
        discard: true
      })
    }
    const isEnding = supervisor
      .views()
      .some(({ snapshot }) => snapshot.hasTag("retiring") || snapshot.hasTag("unloadable"))
    yield* Effect.raceFirst(changed.await, Effect.sleep(lookAgainMillis[isEnding ? "soon" : "late"]))
  })

  const untilNothingIsHeldBack = Effect.repeat(round, {
    while: () => drainState.draining() || supervisor.views().some(({ record }) => drainState.isHeldBack(record.id)),
    schedule: Schedule.forever
  })

  drainState.watch(() => void changed.openUnsafe())
  yield* drainState.begun.pipe(
    Effect.andThen(
      Effect.scoped(
        Effect.andThen(
          news.watch(null, () => void changed.openUnsafe()),
          untilNothingIsHeldBack
        )
      )
    ),
    Effect.forever,
    Effect.forkScoped
  )

  const handOver: HandOver = {
    waits,
    isAtWork: (session) => session.snapshot.hasTag("turnOpen") && !waits(session)
  }
  return handOver
})
