/**
 * The news of all sessions, for whoever looks: one ring in memory, and readers that hold a place in it and nothing else.
 *
 * What a step looks like as text is made once, when the first reader comes to it, and never where nobody looks. A reader
 * that falls behind the ring is told to ask for its rows anew; the ledger has what the ring forgot.
 */
import { Context, Deferred, Effect, Layer, Stream } from "effect"
import { randomUUID } from "node:crypto"
import type { SessionLifecycle, Committed } from "../runtime/CommitObservers.ts"
import { SessionShared } from "../runtime/SessionShared.ts"
import { sees } from "../runtime/Caller.ts"
import type { Caller } from "../runtime/Caller.ts"
import { stateName } from "../../machines/session/stateInfo.ts"
import type { AppName, SessionId } from "../domain/Ids.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { SessionSummary } from "../ledger/Ledger.ts"
import type { SlimStep } from "./contract.ts"
import { rowOf } from "./row.ts"

/** News that are kept for readers who come back; about a kilobyte each, once they were read. */
export const ringCapacity = 4_096
/** Of them in one write, so that nobody who catches up keeps the others waiting. */
const mostAtOnce = 128
/** Between two writes to one reader: what happens within it goes out together. */
const breath = "25 millis"

interface News {
  readonly n: number
  readonly app: AppName
  /** `null`: the session was deleted. */
  readonly step: Omit<SlimStep, "n" | "row"> | null
  readonly glance: SessionSummary
  text: string | null
}

export class Hub extends Context.Service<
  Hub,
  {
    /** Tells this life of the server apart from any other. */
    readonly boot: string
    /** Server-sent events of what the caller sees, after the id that it saw last (`null`: from now on). Never ends. */
    readonly follow: (caller: Caller, lastEventId: string | null) => Stream.Stream<string>
    /** Readers that wait now, and news that are kept. */
    readonly counts: () => { readonly waiting: number; readonly kept: number }
  }
>()("troupe/inspect/Hub") {
  static readonly layer = Layer.effect(
    Hub,
    Effect.gen(function* () {
      const { observers } = yield* SessionShared
      const boot = randomUUID()
      const ring = Array.from<News | undefined>({ length: ringCapacity })
      let last = 0
      /** Done, and replaced, with the next news; `null` while nobody waits. */
      let coming: Deferred.Deferred<void> | null = null
      let waiting = 0

      const push = (app: AppName, step: News["step"], glance: SessionSummary) => {
        last++
        ring[last % ringCapacity] = { n: last, app, step, glance, text: null }
        if (coming === null) return
        Deferred.doneUnsafe(coming, Effect.void)
        coming = null
      }

      const questions = new Questions()
      const stepped = (stored: Committed) => {
        const { at, before, event, record, seq } = stored
        const step = { seq, at: at / 1000, event: event.type, from: stateName(before), to: stateName(stored.snapshot) }
        push(record.app, step, glanceOf(stored, questions.after(stored)))
      }
      const came = ({ record, what }: SessionLifecycle) => {
        const { createdAt: at, substate } = record
        const step = what === "removed" ? null : { seq: 0, at: at / 1000, event: what, from: substate, to: substate }
        push(record.app, step, glanceOfNew(record))
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => [observers.observe(null, stepped), observers.observeLifecycle(came)]),
        (lettingGo) => Effect.sync(() => lettingGo.forEach((letGo) => letGo()))
      )

      const untilNews = Effect.suspend(() => {
        coming ??= Deferred.makeUnsafe()
        waiting++
        return Effect.ensuring(
          Deferred.await(coming),
          Effect.sync(() => waiting--)
        )
      })

      const reset = () => `id: ${boot}:${last}\nevent: reset\ndata: {}\n\n`
      const live = (n: number) => `id: ${boot}:${n}\nevent: live\ndata: {"n":${n}}\n\n`
      const textOf = (news: News) => (news.text ??= eventOf(boot, news))

      /** What the caller sees of the news after `place`, and the place after them. */
      const after = (caller: Caller, place: number) => {
        const until = Math.min(last, place + mostAtOnce)
        let text = ""
        for (let n = place + 1; n <= until; n++) {
          const news = ring[n % ringCapacity]
          if (news !== undefined && sees(caller, news.app)) text += textOf(news)
        }
        return { text, until }
      }

      const begin = (lastEventId: string | null): Reading => {
        if (lastEventId === null) return { place: last, isLive: false, said: "" }
        const [, of, n] = /^([\w-]+):(\d{1,15})$/.exec(lastEventId) ?? []
        const place = Number(n)
        const isKnown = of === boot && place <= last && place >= last - ringCapacity
        return isKnown ? { place, isLive: false, said: "" } : { place: last, isLive: false, said: reset() }
      }

      const next = (caller: Caller) =>
        Effect.fnUntraced(function* (reading: Reading): Effect.fn.Return<readonly [string, Reading]> {
          if (reading.said !== "") return [reading.said, { ...reading, said: "" }]
          if (reading.rests === true) yield* Effect.sleep(breath)
          let { isLive, place } = reading
          while (true) {
            if (place < last - ringCapacity) return [reset(), { place: last, isLive: false, said: "" }]
            const { text, until } = after(caller, place)
            place = until
            const caughtUp = !isLive && place === last
            isLive ||= caughtUp
            const said = caughtUp ? text + live(place) : text
            if (said !== "") return [said, { place, isLive, said: "", rests: place === last }]
            if (place === last) yield* untilNews
          }
        })

      return Hub.of({
        boot,
        follow: (caller, lastEventId) => Stream.suspend(() => Stream.unfold(begin(lastEventId), next(caller))),
        counts: () => ({ waiting, kept: Math.min(last, ringCapacity) })
      })
    })
  )
}

/** All that is kept of a reader. */
interface Reading {
  /** The last news that it was told, or that were none of its. */
  readonly place: number
  readonly isLive: boolean
  /** To be said before anything else. */
  readonly said: string
  readonly rests?: boolean
}

const eventOf = (boot: string, { glance, n, step }: News): string => {
  const [event, data] =
    step === null
      ? (["removed", { session_id: glance.id }] as const)
      : (["step", { n, ...step, row: rowOf(glance) } satisfies SlimStep] as const)
  return `id: ${boot}:${n}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

const glanceOf = ({ next, record, since, snapshot }: Committed, asks: string | null): SessionSummary => {
  const { process, turn } = snapshot.context
  return { ...fieldsOf(record), turn, process, since, asks, next }
}

const glanceOfNew = (record: SessionRecord): SessionSummary => ({
  ...fieldsOf(record),
  turn: 0,
  process: false,
  since: record.createdAt,
  asks: null,
  next: null
})

/** Without what a session was asked for: that may be large, and the ring would keep it. */
const fieldsOf = (record: SessionRecord) => ({
  id: record.id,
  app: record.app,
  agent: record.agent,
  state: record.state,
  substate: record.substate,
  createdAt: record.createdAt,
  lastActivityAt: record.lastActivityAt,
  closedAt: record.closedAt,
  turnCount: record.turnCount,
  restarts: record.restarts,
  totalTokens: record.usage.totalTokens
})

/** The titles of what is asked now, of sessions that stand in `turning.asking` and no others. */
class Questions {
  readonly #open = new Map<SessionId, ReadonlyMap<string, string>>()

  /** The oldest that is open after this step. */
  after({ newApproval: asked, record, snapshot }: Committed): string | null {
    if (record.substate !== "turning.asking") {
      this.#open.delete(record.id)
      return null
    }
    const open = new Map(this.#open.get(record.id))
    if (asked !== null) open.set(asked.id, asked.title)
    const { approvals } = snapshot.context
    for (const id of open.keys()) if (!approvals.includes(id)) open.delete(id)
    this.#open.set(record.id, open)
    return [...open.values()][0] ?? null
  }
}
