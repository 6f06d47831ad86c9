/**
 * The changes of all sessions, for every reader of `GET steps`: one ring in memory, in which each reader holds a position
 * and nothing else.
 *
 * The text of a change is made once, when the first reader comes to it, and not at all where nobody reads. A reader that
 * falls behind the ring is sent `reset` and asks for its rows anew; the ledger has what the ring no longer holds. So is
 * every reader where news of other Troupes may have got lost.
 */
import { Context, Deferred, Effect, Layer, Stream } from "effect"
import { randomUUID } from "node:crypto"
import { Inspection } from "../services/Inspection.ts"
import type { Caller, SessionChange } from "../services/Inspection.ts"
import type { SlimStep } from "./contract.ts"
import { rowOf } from "./row.ts"

/** Changes that are kept for readers who come back; about a kilobyte each, once they were read. */
export const ringCapacity = 4_096
/** Changes in one write, so that a reader that catches up does not keep the others waiting. */
const mostPerWrite = 128
/** Between two writes to one reader: changes within it are sent together. */
const batchedOver = "25 millis"

interface Entry {
  /** Counts from 1 while the server runs: the position after this change. */
  readonly n: number
  readonly change: SessionChange
  /** `null` until it is read. */
  text: string | null
}

export class Hub extends Context.Service<
  Hub,
  {
    /** Of this start of the server: positions of another start mean nothing. */
    readonly boot: string
    /** Server-sent events of what the caller sees, after the id that it has last (`null`: from now on). Never ends. */
    readonly follow: (caller: Caller, lastEventId: string | null) => Stream.Stream<string>
    /** Readers that wait for a change now, and changes in the ring. */
    readonly counts: () => { readonly waiting: number; readonly kept: number }
  }
>()("troupe/inspect/Hub") {
  static readonly layer = Layer.effect(
    Hub,
    Effect.gen(function* () {
      const inspection = yield* Inspection
      const boot = randomUUID()
      const ring = Array.from<Entry | undefined>({ length: ringCapacity })
      let last = 0
      /** Done, and replaced, with the next change; `null` while no reader waits. */
      let nextChange: Deferred.Deferred<void> | null = null
      let waiting = 0
      let readers = 0

      const add = (change: SessionChange) => {
        last++
        ring[last % ringCapacity] = { n: last, change, text: null }
        if (nextChange === null) return
        Deferred.doneUnsafe(nextChange, Effect.void)
        nextChange = null
      }
      yield* inspection.observeChanges({ _tag: "Admin" }, add, () => readers > 0)

      const untilChange = Effect.suspend(() => {
        nextChange ??= Deferred.makeUnsafe()
        waiting++
        return Effect.ensuring(
          Deferred.await(nextChange),
          Effect.sync(() => waiting--)
        )
      })

      const reset = () => `id: ${boot}:${last}\nevent: reset\ndata: {}\n\n`
      const live = (n: number) => `id: ${boot}:${n}\nevent: live\ndata: {"n":${n}}\n\n`
      const isSeenBy = (caller: Caller, change: SessionChange) =>
        change._tag === "Missed" || inspection.sees(caller, change._tag === "Removed" ? change.session : change.summary)
      const textOf = (entry: Entry) => (entry.text ??= eventOf(boot, entry))

      /** What the caller sees of the changes after `position`, and the position after them. */
      const readAfter = (caller: Caller, position: number) => {
        const until = Math.min(last, position + mostPerWrite)
        let text = ""
        for (let n = position + 1; n <= until; n++) {
          const entry = ring[n % ringCapacity]
          if (entry !== undefined && isSeenBy(caller, entry.change)) text += textOf(entry)
        }
        return { text, until }
      }

      const begin = (lastEventId: string | null): Reading => {
        if (lastEventId === null) return { position: last, isLive: false, unsent: "" }
        const [, bootOfId, n] = /^([\w-]+):(\d{1,15})$/.exec(lastEventId) ?? []
        const position = Number(n)
        const isInRing = bootOfId === boot && position <= last && position >= last - ringCapacity
        return isInRing ? { position, isLive: false, unsent: "" } : { position: last, isLive: false, unsent: reset() }
      }

      const next = (caller: Caller) =>
        Effect.fnUntraced(function* (reading: Reading): Effect.fn.Return<readonly [string, Reading]> {
          if (reading.unsent !== "") return [reading.unsent, { ...reading, unsent: "" }]
          if (reading.hasAll === true) yield* Effect.sleep(batchedOver)
          let { isLive, position } = reading
          while (true) {
            if (position < last - ringCapacity) return [reset(), { position: last, isLive: false, unsent: "" }]
            const { text, until } = readAfter(caller, position)
            position = until
            const caughtUp = !isLive && position === last
            isLive ||= caughtUp
            const sent = caughtUp ? text + live(position) : text
            if (sent !== "") return [sent, { position, isLive, unsent: "", hasAll: position === last }]
            if (position === last) yield* untilChange
          }
        })

      return Hub.of({
        boot,
        follow: (caller, lastEventId) =>
          Stream.suspend(() => {
            readers++
            return Stream.ensuring(
              Stream.unfold(begin(lastEventId), next(caller)),
              Effect.sync(() => readers--)
            )
          }),
        counts: () => ({ waiting, kept: Math.min(last, ringCapacity) })
      })
    })
  )
}

/** All that is kept of a reader. */
interface Reading {
  /** The last change that it was sent, or that its caller does not see. */
  readonly position: number
  readonly isLive: boolean
  /** Goes out before anything else. */
  readonly unsent: string
  /** It had every change when it was last written to. */
  readonly hasAll?: boolean
}

const eventOf = (boot: string, { change, n }: Entry): string => {
  const [event, data] = eventAndData(n, change)
  return `id: ${boot}:${n}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

const eventAndData = (n: number, change: SessionChange): readonly [event: string, data: object] => {
  if (change._tag === "Missed") return ["reset", {}]
  if (change._tag === "Removed") return ["removed", { session_id: change.session.id }]
  return ["step", slimStepOf(n, change)]
}

const slimStepOf = (n: number, change: Extract<SessionChange, { readonly summary: object }>): SlimStep => {
  const row = rowOf(change.summary)
  if (change._tag === "Created") {
    const { created_at: at, substate } = row
    return { n, seq: 0, at, event: "created", from: substate, to: substate, row }
  }
  if (change._tag === "Waits") {
    const { substate } = row
    return { n, seq: change.seq, at: change.at / 1000, event: "waits", from: substate, to: substate, row }
  }
  const { at, event, from, seq, to } = change
  return { n, seq, at: at / 1000, event, from, to, row }
}
