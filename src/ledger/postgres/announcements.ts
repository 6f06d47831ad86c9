/**
 * Announcements by LISTEN and NOTIFY, on a channel of the schema's own.
 *
 * A connection of its own listens and tells, so that no long read delays either. Every Troupe that listens says so every few
 * seconds, and hears itself: where it does not, the connection is dead, or a pooler in between swallows notifications, and
 * it connects again. Meanwhile it takes everything for missed, every other second.
 */
import type { PgConnection } from "@effect/sql-pg/PgConnection"
import { Cause, Clock, Effect, Queue } from "effect"
import type { Duration, Scope } from "effect"
import { randomUUID } from "node:crypto"
import type { Announcements, Heard } from "../Announcements.ts"
import { reasonOf } from "../LedgerError.ts"
import { stateOf } from "./errors.ts"
import * as Payload from "./payload.ts"

/** A name of at most 63 bytes, whatever that of the schema. */
const channel = "'troupe_' || md5(current_schema())"
const beatEvery = "5 seconds"
/** A Troupe that was not heard for so long does not listen any more. */
const goneAfterMillis = 15_000
/** A connection that brings nothing for so long, not even the own beat, is deaf. */
const firstHeardWithin = "3 seconds"
const deafAfter = "12 seconds"
const pollEvery = "2 seconds"
/** Of a NOTIFY: the queue of the whole server is full, because somebody who listens does not read. */
const queueFullState = "54000"
/** What was read by all is forgotten where somebody tells something, which nobody can any more, or asks this. */
const makeRoom = "SELECT pg_notification_queue_usage()"
const reconnectMillis = { least: 200, most: 10_000 }

export interface Connections {
  /** A new one, which is closed with the scope. */
  readonly connect: Effect.Effect<PgConnection, unknown, Scope.Scope>
  /** On any connection, for what is announced while there is none that listens. */
  readonly query: Query
}

type Query = (text: string, params: ReadonlyArray<string>) => Effect.Effect<unknown, unknown>

export const make = Effect.fnUntraced(function* ({ connect, query }: Connections) {
  const clock = yield* Clock.Clock
  const token = randomUUID()
  /** When each of the others was last heard. */
  const others = new Map<string, number>()
  let isHearing = false
  let tell = query
  /** What was announced did not reach the server, and they are still to be told so. */
  let owesAll = false

  const send = Effect.fnUntraced(
    function* (notes: ReadonlyArray<string>, missedBy: Payload.MissedBy = Payload.nobody) {
      for (const payload of Payload.of(token, owesAll ? Payload.everybody : missedBy, notes)) {
        yield* tell(`SELECT pg_notify(${channel}, $1)`, [payload])
        owesAll = false
      }
    },
    Effect.catch((error) => {
      owesAll = true
      const full = stateOf(error) === queueFullState
      return Effect.andThen(
        Effect.logDebug("Other Troupes could not be told of changes", error),
        full ? Effect.ignore(tell(makeRoom, [])) : Effect.void
      )
    })
  )

  const take = Effect.fnUntraced(function* (payload: Payload.Payload, hear: (heard: Heard) => void) {
    const { from, missedBy, notes } = payload
    if (from === token) return
    const now = clock.currentTimeMillisUnsafe()
    const before = others.get(from)
    others.set(from, now)
    // What was committed before it was known to listen was not announced to it.
    if (before === undefined || now - before > goneAfterMillis) yield* send([], from)
    if (missedBy === Payload.everybody || missedBy === token) hear({ _tag: "Missed" })
    if (notes.length > 0) hear({ _tag: "Notes", from, notes })
  })

  /** Fails when the connection has ended or hears nothing. `onHearing` is called when it is known to hear. */
  const listenOnce = Effect.fnUntraced(function* (hear: (heard: Heard) => void, onHearing: Effect.Effect<void>) {
    // One that listens is pinned, so it is asked for that first.
    const connection = yield* (yield* connect).pin
    // The server's operator sees by the name what it is for.
    const { rows } = yield* connection.query(
      `SELECT ${channel} AS channel, set_config('application_name', 'troupe on ' || ${channel}, false)`
    )
    const notifications = yield* connection.listen(String(rows[0]?.["channel"]))
    tell = connection.query
    yield* Effect.addFinalizer(() => Effect.sync(() => (tell = query)))
    yield* send([])
    let within: Duration.Input = firstHeardWithin
    while (true) {
      const { payload } = yield* Queue.take(notifications).pipe(
        Effect.timeoutOrElse({ duration: within, orElse: () => Effect.fail(new Error("nothing is heard on it")) })
      )
      const read = Payload.read(payload)
      if (read === null) continue
      if (!isHearing && read.from === token) {
        isHearing = true
        within = deafAfter
        yield* onHearing
        hear({ _tag: "Missed" })
      }
      yield* take(read, hear)
    }
  }, Effect.scoped)

  const listen = Effect.fnUntraced(function* (hear: (heard: Heard) => void) {
    let delay = reconnectMillis.least
    let isDeaf = false
    const onHearing = Effect.suspend(() => {
      delay = reconnectMillis.least
      const wasDeaf = isDeaf
      isDeaf = false
      return wasDeaf ? Effect.logInfo("What other Troupes change is heard again.") : Effect.void
    })
    const stayConnected = Effect.gen(function* () {
      const exit = yield* Effect.exit(listenOnce(hear, onHearing))
      isHearing = false
      if (exit._tag === "Success") return
      if (!isDeaf) {
        yield* Effect.logWarning(
          `What other Troupes change is not heard (${reasonOf(Cause.squash(exit.cause))}): it is looked up every ${pollEvery} until it is.`
        )
      }
      isDeaf = true
      yield* Effect.sleep(delay)
      delay = Math.min(reconnectMillis.most, 2 * delay)
    })
    const poll = Effect.sync(() => {
      if (!isHearing) hear({ _tag: "Missed" })
    })
    yield* Effect.forkScoped(Effect.forever(stayConnected))
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(beatEvery), send([]))))
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(pollEvery), poll)))
  })

  const announcements: Announcements = {
    announce: (notes) => send(notes),
    hasListeners: () => {
      if (!isHearing) return true
      const since = clock.currentTimeMillisUnsafe() - goneAfterMillis
      for (const [other, at] of others) {
        if (at >= since) return true
        others.delete(other)
      }
      return false
    },
    isHearing: () => isHearing,
    listen
  }
  return announcements
})
