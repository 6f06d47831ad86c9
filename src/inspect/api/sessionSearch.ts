/**
 * `GET search`: where a text is in one session, for a page that has not all of it. The ledger's rows share their texts, and an
 * answer is in many events, so what is searched is the transcript that they make. One request reads a bounded part, and says
 * where the next one goes on.
 */
import { Effect, Semaphore } from "effect"
import { InvalidRequest } from "../../domain/Refusal.ts"
import { Inspection } from "../../services/Inspection.ts"
import type { Caller } from "../../services/Inspection.ts"
import { longestQuery, matcherOf, searchItems, searchPrompts, searchSteps } from "../client/search.ts"
import type { Matcher } from "../client/search.ts"
import { Transcript } from "../client/Transcript.ts"
import { eventDto, stepDto } from "../detail/dto.ts"
import type { Hit, Hits, StreamId, TranscriptEvent } from "../sessionContract.ts"
import { get, routes } from "./route.ts"
import { idOf } from "./sessionReads.ts"
import { positionIn } from "./sessionStream.ts"

const mostHits = 200
const mostEvents = 10_000
const mostSteps = 5_000
/** Characters of JSON of the events of one search: one event may have megabytes. */
const mostChars = 16 * 1024 * 1024
const pageSize = 250
/** At a time: each reads as much as a hundred pages of events. */
const mostSearches = 2

export const layer = routes(
  Effect.gen(function* () {
    const inspection = yield* Inspection
    const searches = yield* Semaphore.make(mostSearches)

    /** Up to a bound; `last`: nothing is stored behind them. */
    const eventsAfter = Effect.fnUntraced(function* (caller: Caller, id: string, from: number) {
      const events: Array<TranscriptEvent> = []
      let chars = 0
      while (events.length < mostEvents && chars < mostChars) {
        const after = events.at(-1)?.seq ?? from
        const page = yield* inspection.events(caller, id, { after, limit: pageSize })
        events.push(...page.map(eventDto))
        if (page.length < pageSize) return { events, isLast: true }
        chars += JSON.stringify(page).length
        // Others are served in between.
        yield* Effect.yieldNow
      }
      return { events, isLast: false }
    })

    return [
      get(
        "/sessions/:id/search",
        (context) =>
          Effect.gen(function* () {
            const { caller, query } = context
            const id = idOf(context)
            const text = query.get("q") ?? ""
            if (text.length > longestQuery)
              return yield* new InvalidRequest({ field: "q", problem: `may have ${longestQuery} characters.` })
            yield* inspection.find(caller, id)
            const matches = matcherOf(text)
            if (matches === null) return { ok: true, hits: [], next: null } satisfies Hits
            const from = yield* positionIn(query.get("after"), "after")
            const steps = yield* inspection.steps(caller, id, { after: from.step, limit: mostSteps })
            const inSteps = cutTo(searchSteps(steps.map(stepDto), matches), mostHits / 2)
            const step = inSteps.isCut ? (inSteps.hits.at(-1)?.seq ?? 0) : (steps.at(-1)?.seq ?? from.step)
            const { events, isLast } = yield* eventsAfter(caller, id, from.event)
            const { goesOn, hits } = searchEvents(events, isLast, matches)
            const isAll = !inSteps.isCut && steps.length < mostSteps && goesOn === null
            const next: StreamId = `e${goesOn ?? events.at(-1)?.seq ?? from.event}.s${step}`
            return { ok: true, hits: [...hits, ...inSteps.hits], next: isAll ? null : next } satisfies Hits
          }).pipe(searches.withPermit),
        { query: ["q", "after"] }
      )
    ]
  })
)

const cutTo = (hits: ReadonlyArray<Hit>, most: number) => ({ hits: hits.slice(0, most), isCut: hits.length > most })

/** `goesOn`: the event before the first that is not searched; `null`: all of these are. */
const searchEvents = (events: ReadonlyArray<TranscriptEvent>, isLast: boolean, matches: Matcher) => {
  const transcript = new Transcript()
  transcript.append(events)
  const found = searchItems(transcript.items, matches)
  const prompts = searchPrompts(transcript.prompts, matches)
  const more = found[mostHits / 2]
  // The submission of a prompt is an event before the first item of its turn.
  const hits =
    more === undefined
      ? [...prompts, ...found]
      : [...prompts.filter(({ at }) => at <= more.at), ...found.slice(0, mostHits / 2)]
  if (more !== undefined) return { hits, goesOn: more.seq - 1 }
  if (isLast) return { hits, goesOn: null }
  // An answer that may go on behind the last event is searched again as a whole, unless it is all that there was.
  const [first, end] = [events[0]?.seq ?? 0, events.at(-1)?.seq ?? 0]
  const last = Number.parseInt(transcript.items.at(-1)?.key ?? "", 10)
  return { hits, goesOn: last > first ? last - 1 : end }
}
