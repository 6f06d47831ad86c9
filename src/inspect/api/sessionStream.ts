/**
 * All news of one session as one stream, `e12.s7` by `e12.s7`: first what is stored after the reader's place, then what
 * comes, without a gap or a repeat.
 *
 * The ledger is the buffer. A reader keeps two numbers and a bell that each commit of the session rings; what it has not
 * taken yet is nowhere but in its rows, so a slow reader costs nothing and a lost one comes back to its place. The stream
 * of a closed session stays open and silent: one that ended would be asked for again and again.
 */
import { Effect, Latch, Option, Stream } from "effect"
import { cannot } from "../../runtime/errors.ts"
import { EventFeed } from "../../runtime/EventFeed.ts"
import { Sessions } from "../../services/Sessions.ts"
import type { SessionId } from "../../domain/Ids.ts"
import { InvalidRequest } from "../../domain/Refusal.ts"
import type { StoredEvent } from "../../domain/Session.ts"
import { Ledger } from "../../ledger/Ledger.ts"
import type { StepRecord } from "../../ledger/Ledger.ts"
import type { StreamId } from "../contract.ts"
import { eventDto, stepDto } from "../detail/dto.ts"
import { get, routes } from "./route.ts"
import type { Asked } from "./route.ts"
import { idOf } from "./sessionReads.ts"

const pageSize = 128
/** Some time after a step its commands are ticked off and its process has a pid, of which there are no news. */
const settledAfter = "1 second"

export interface Place {
  event: number
  step: number
}

export const layer = routes(
  Effect.gen(function* () {
    const feed = yield* EventFeed
    const ledger = yield* Ledger
    const sessions = yield* Sessions

    const texts = Effect.fnUntraced(function* (id: SessionId, place: Place) {
      const news = yield* Latch.make()
      // What an agent says comes many times a second, and brings no step.
      let stepped = true
      yield* feed.watch(id, (withStep) => {
        stepped ||= withStep
        news.openUnsafe()
      })
      let told = false
      let settling = false

      const pull = Effect.gen(function* () {
        while (true) {
          // Before the read: what is committed by now is in it, and what comes later rings again.
          yield* news.close
          const events = yield* ledger.events(id, place.event, pageSize)
          const looked = stepped
          stepped = false
          const steps = looked ? yield* ledger.steps(id, place.step, pageSize) : []
          const merged = merge(events, steps, pageSize)
          // There may be more than a page of them, or some were left for the next.
          if (steps.length === pageSize || merged.length < events.length + steps.length) stepped = true
          if (merged.length > 0) {
            const moved = merged.some((one) => "commands" in one)
            const [first = "", ...rest] = merged.map((one) => textOf(one, place))
            if (!moved || !told) return [first, ...rest] as const
            settling = true
            return [first, ...rest, changed] as const
          }
          if (!told) {
            told = true
            settling = true
            return [live] as const
          }
          if (!settling) {
            yield* news.await
            continue
          }
          if (Option.isSome(yield* Effect.timeoutOption(news.await, settledAfter))) continue
          settling = false
          return [changed] as const
        }
      }).pipe(cannot("read the session's news"))
      return Stream.fromPull(Effect.succeed(pull))
    })

    return [
      get(
        "/sessions/:id/stream",
        Effect.fnUntraced(function* (asked) {
          const { id } = yield* sessions.get(asked.caller, idOf(asked))
          const place = yield* placeOf(asked)
          return yield* asked.follow(Stream.unwrap(texts(id, place)))
        })
      )
    ]
  })
)

/** The header of a browser that comes back is newer than the address that it was first given. */
const placeOf = ({ query, request }: Asked): Effect.Effect<Place, InvalidRequest> => {
  const text = request.headers["last-event-id"] ?? query.get("after")
  if (text === null || text === "") return Effect.succeed({ event: 0, step: 0 })
  const [, event, step] = /^e(\d{1,15})\.s(\d{1,15})$/.exec(text) ?? []
  return event === undefined || step === undefined
    ? Effect.fail(
        new InvalidRequest({ field: "after", problem: "must be the id of a message of this stream: e12.s7." })
      )
    : Effect.succeed({ event: Number(event), step: Number(step) })
}

/**
 * In the order of time, each kind in its own: a step before the news of the same commit. Where a page is full, more of
 * its kind may belong before what the other still has: that waits for the next.
 */
export const merge = (
  events: ReadonlyArray<StoredEvent>,
  steps: ReadonlyArray<StepRecord>,
  full: number
): ReadonlyArray<StoredEvent | StepRecord> => {
  const merged: Array<StoredEvent | StepRecord> = []
  let e = 0
  let s = 0
  while (true) {
    const event = events[e]
    const step = steps[s]
    if (event === undefined && (step === undefined || events.length === full)) return merged
    if (step === undefined && steps.length === full) return merged
    if (event === undefined || (step !== undefined && step.at <= event.at)) {
      if (step !== undefined) merged.push(step)
      s++
    } else {
      merged.push(event)
      e++
    }
  }
}

const textOf = (one: StoredEvent | StepRecord, place: Place): string => {
  const [kind, data] = "commands" in one ? ["step", stepDto(one)] : ["event", eventDto(one)]
  if ("commands" in one) place.step = one.seq
  else place.event = one.seq
  const id: StreamId = `e${place.event}.s${place.step}`
  return `id: ${id}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`
}

const live = "event: live\ndata: {}\n\n"
const changed = "event: changed\ndata: {}\n\n"
