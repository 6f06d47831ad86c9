/**
 * Slots for agent processes: a fixed number, shared fairly between apps.
 *
 * A session holds its slot from before its process is spawned until the kernel has nothing of that process left. The app
 * that holds the fewest slots is served first, and within an app the request that has waited longest. While requests
 * wait, the sessions that have been idle longest are asked to hibernate.
 *
 * Spares (`supervision/Spares.ts`) hold no slot: they are in the places that no session has, and one is given up the moment
 * a session takes its place. So nobody ever waits for a spare.
 */
import { Clock, Context, Deferred, Effect, Layer } from "effect"
import type { AppName, SessionId } from "../domain/Ids.ts"
import { RuntimeSettings } from "./RuntimeSettings.ts"

export type SlotAnswer = "granted" | "refused"

interface Request {
  readonly since: number
  readonly app: AppName
  readonly session: SessionId
  readonly takesSpare: boolean
  readonly answer: Deferred.Deferred<SlotAnswer>
}

/** A process that belongs to no session. `giveUp` ends it, in the background. */
export interface Spare {
  readonly giveUp: () => void
}

/** A slot that is held. Whether its holder may be asked to leave, or was, is known of holders only. */
interface Slot {
  readonly app: AppName
  /** When it was granted. */
  readonly since: number
  readonly use: "busy" | "leaving" | { readonly hibernate: () => void }
}

/** What a check can hold against the sessions' own states. `idle` ones may still be asked to hibernate. */
export interface SlotsState {
  readonly busy: ReadonlyArray<SessionId>
  readonly idle: ReadonlyArray<SessionId>
  readonly leaving: ReadonlyArray<SessionId>
  readonly waiting: ReadonlyArray<SessionId>
}

/** The line for slots, as one that waits in it sees it. */
export interface SlotLine {
  /** 1: it is served next. */
  readonly place: number
  readonly waiting: number
  readonly size: number
  /** Who has the slots, and since when (milliseconds since 1970); the longest first. */
  readonly holders: ReadonlyArray<{ readonly session: SessionId; readonly app: AppName; readonly since: number }>
}

/** Who has a place, or waits for one, and since when (milliseconds since 1970), oldest first. */
export interface SlotsView {
  readonly held: ReadonlyArray<{ readonly session: SessionId; readonly since: number; readonly use: SlotUse }>
  readonly waiting: ReadonlyArray<{ readonly session: SessionId; readonly since: number }>
}
export type SlotUse = "busy" | "idle" | "leaving"

export class ProcessSlots extends Context.Service<
  ProcessSlots,
  {
    /**
     * Requests a slot for a session, not before `notBefore` (milliseconds since 1970). A request that is not urgent is
     * refused where no slot is free at once. A session that has a slot is granted it again; a second request refuses one
     * that waits, and takes its place. Interrupting the effect withdraws the request.
     */
    readonly take: (request: {
      readonly session: SessionId
      readonly app: AppName
      readonly urgent: boolean
      readonly notBefore: number
      /** It may take a spare over, so none is given up for it before `settled`. */
      readonly takesSpare?: boolean
    }) => Effect.Effect<SlotAnswer>
    /** Gives the slot back. A request of the session that still waits for one is refused. */
    readonly release: (session: SessionId) => void
    /** The session has a process and nothing to do: `hibernate` may be called, to free its slot. */
    readonly idle: (session: SessionId, hibernate: () => void) => void
    readonly busy: (session: SessionId) => void
    /** The session retires its process, for whatever reason: its slot will be free soon. */
    readonly retiring: (session: SessionId) => void
    /** The session has taken a spare over, or will not. */
    readonly settled: (session: SessionId) => void
    /** Puts a spare in a place that no session has. `false`: there is none. */
    readonly addSpare: (spare: Spare) => boolean
    /** It was taken over, or has ended. */
    readonly removeSpare: (spare: Spare) => void
    readonly spares: () => number
    /** Sessions that were granted a slot and may take a spare over with it. */
    readonly unsettled: () => number
    /** Refuses every request from now on, and those that wait. */
    readonly drain: () => void
    readonly counts: () => { readonly held: number; readonly size: number; readonly waiting: number }
    readonly state: () => SlotsState
    /** `null`: the session does not wait for a slot. */
    readonly line: (session: SessionId) => SlotLine | null
    readonly view: () => SlotsView
  }
>()("troupe/runtime/ProcessSlots") {
  static readonly layer = Layer.effect(
    ProcessSlots,
    Effect.gen(function* () {
      const size = (yield* RuntimeSettings).limits.maxProcesses
      const { currentTimeMillisUnsafe } = yield* Clock.Clock
      // Insertion order is the order of the last change of use: the first idle one is the least recently used.
      const slots = new Map<SessionId, Slot>()
      let waiting: ReadonlyArray<Request> = []
      let draining = false
      /** The oldest first. */
      const spares = new Set<Spare>()
      const unsettled = new Set<SessionId>()
      const room = () => size - slots.size

      const giveUpSpares = () => {
        for (const spare of spares) {
          if (spares.size <= room() + unsettled.size) return
          spares.delete(spare)
          spare.giveUp()
        }
      }

      const hold = ({ app, session, takesSpare }: Pick<Request, "app" | "session" | "takesSpare">) => {
        slots.set(session, { app, since: currentTimeMillisUnsafe(), use: "busy" })
        if (takesSpare) unsettled.add(session)
        giveUpSpares()
      }

      const holdings = (app: AppName) => [...slots.values()].filter((slot) => slot.app === app).length
      const next = () => firstOf(waiting, holdings)
      /** In the order in which they are served where nobody comes and no slot is given back but to them. */
      const inOrder = () => {
        const granted = new Map<AppName, number>()
        const order: Array<Request> = []
        let left = waiting
        while (left.length > 0) {
          const request = firstOf(left, (app) => holdings(app) + (granted.get(app) ?? 0))
          if (request === undefined) break
          granted.set(request.app, (granted.get(request.app) ?? 0) + 1)
          order.push(request)
          left = left.filter((each) => each !== request)
        }
        return order
      }
      const withdraw = (request: Request) => {
        waiting = waiting.filter((each) => each !== request)
      }
      const answer = (request: Request, answer: SlotAnswer) => {
        withdraw(request)
        Deferred.doneUnsafe(request.answer, Effect.succeed(answer))
      }

      /** A session without a slot uses none: a step that comes after its slot was given back changes nothing. */
      const setUse = (session: SessionId, use: Slot["use"]) => {
        const slot = slots.get(session)
        if (slot === undefined) return
        slots.delete(session)
        slots.set(session, { ...slot, use })
      }

      const grant = () => {
        while (slots.size < size) {
          const request = next()
          if (request === undefined) return
          hold(request)
          answer(request, "granted")
        }
        makeRoom()
      }

      /** One eviction per waiting request: more would hibernate sessions for no request. */
      const makeRoom = () => {
        let leaving = [...slots.values()].filter(({ use }) => use === "leaving").length
        for (const [session, { use }] of slots) {
          if (leaving >= waiting.length) return
          if (typeof use === "string") continue
          setUse(session, "leaving")
          leaving++
          use.hibernate()
        }
      }

      const sessionsOf = (wanted: (use: Slot["use"]) => boolean) =>
        [...slots].flatMap(([session, { use }]) => (wanted(use) ? [session] : []))

      return ProcessSlots.of({
        take: Effect.fnUntraced(function* ({ app, notBefore, session, takesSpare = false, urgent }) {
          const now = yield* Clock.currentTimeMillis
          if (notBefore > now) yield* Effect.sleep(notBefore - now)
          if (draining) return "refused"
          if (slots.has(session)) return "granted"
          if (slots.size < size && waiting.length === 0) {
            hold({ app, session, takesSpare })
            return "granted"
          }
          if (!urgent) return "refused"
          for (const earlier of waiting) if (earlier.session === session) answer(earlier, "refused")
          const since = yield* Clock.currentTimeMillis
          const request: Request = { since, app, session, takesSpare, answer: yield* Deferred.make<SlotAnswer>() }
          waiting = [...waiting, request]
          grant()
          return yield* Deferred.await(request.answer).pipe(
            Effect.onInterrupt(() => Effect.sync(() => withdraw(request)))
          )
        }),
        release: (session) => {
          for (const request of waiting) if (request.session === session) answer(request, "refused")
          slots.delete(session)
          unsettled.delete(session)
          grant()
          giveUpSpares()
        },
        settled: (session) => {
          if (unsettled.delete(session)) giveUpSpares()
        },
        addSpare: (spare) => {
          if (draining || spares.size >= room()) return false
          spares.add(spare)
          return true
        },
        removeSpare: (spare) => void spares.delete(spare),
        spares: () => spares.size,
        unsettled: () => unsettled.size,
        idle: (session, hibernate) => {
          setUse(session, { hibernate })
          makeRoom()
        },
        busy: (session) => {
          setUse(session, "busy")
          // Where it was asked to hibernate, and a turn came before that, another session has to make room.
          makeRoom()
        },
        retiring: (session) => setUse(session, "leaving"),
        drain: () => {
          draining = true
          for (const request of waiting) answer(request, "refused")
        },
        view: () => ({
          held: [...slots]
            .map(([session, { since, use }]) => ({
              session,
              since,
              use: typeof use === "string" ? use : ("idle" as const)
            }))
            .toSorted((a, b) => a.since - b.since),
          waiting: waiting.map(({ session, since }) => ({ session, since }))
        }),
        counts: () => ({ held: slots.size, size, waiting: waiting.length }),
        state: () => ({
          busy: sessionsOf((use) => use === "busy"),
          idle: sessionsOf((use) => typeof use !== "string"),
          leaving: sessionsOf((use) => use === "leaving"),
          waiting: waiting.map(({ session }) => session)
        }),
        line: (session) => {
          if (!waiting.some((request) => request.session === session)) return null
          const place = inOrder().findIndex((request) => request.session === session) + 1
          const holders = [...slots].map(([holder, { app, since }]) => ({ session: holder, app, since }))
          return { place, waiting: waiting.length, size, holders: holders.sort((a, b) => a.since - b.since) }
        }
      })
    })
  )
}

/** Of the app that holds the fewest, the one that has waited longest. */
const firstOf = (waiting: ReadonlyArray<Request>, holdings: (app: AppName) => number): Request | undefined => {
  const firsts = new Map<AppName, Request>()
  for (const request of waiting) if (!firsts.has(request.app)) firsts.set(request.app, request)
  return [...firsts.values()].sort((a, b) => holdings(a.app) - holdings(b.app))[0]
}
