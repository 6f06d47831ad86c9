/** Reads what an exported session is made of, within bounds: of a longer one the last part, with a sentence that says so. */
import { Clock, Effect } from "effect"
import manifest from "../../../package.json" with { type: "json" }
import { Inspection } from "../../services/Inspection.ts"
import type { Caller, StepRecord } from "../../services/Inspection.ts"
import type { Exported, TranscriptEvent } from "../sessionContract.ts"
import { detailOf } from "../detail/detail.ts"
import { boundsDto, eventDto, stepDto } from "../detail/dto.ts"
import { keepingTexts, withoutTexts } from "./redaction.ts"

/** As much as a browser still opens and a server still holds in memory. */
const mostSteps = 20_000
const mostEvents = 20_000
const mostEventChars = 24 * 1024 * 1024
const pageSize = 500

export const make = Effect.gen(function* () {
  const inspection = yield* Inspection

  const stepsOf = Effect.fnUntraced(function* (caller: Caller, id: string, last: number) {
    const steps: Array<StepRecord> = []
    let after = Math.max(0, last - mostSteps)
    while (after < last) {
      const page = yield* inspection.steps(caller, id, { after, limit: Math.min(pageSize, last - after) })
      steps.push(...page)
      const end = page.at(-1)?.seq
      if (end === undefined) break
      after = end
    }
    return steps
  })

  /** Sizes count after `redact`, which makes events smaller. The oldest are dropped. */
  const eventsOf = Effect.fnUntraced(function* (
    caller: Caller,
    id: string,
    last: number,
    redact: (event: TranscriptEvent) => TranscriptEvent
  ) {
    const events: Array<{ readonly event: TranscriptEvent; readonly chars: number }> = []
    let chars = 0
    let dropped = 0
    let after = Math.max(0, last - mostEvents)
    while (after < last) {
      const page = yield* inspection.events(caller, id, { after, limit: Math.min(pageSize, last - after) })
      const end = page.at(-1)?.seq
      if (end === undefined) break
      after = end
      for (const stored of page) {
        const event = redact(eventDto(stored))
        const size = JSON.stringify(event).length
        events.push({ event, chars: size })
        chars += size
      }
      while (chars > mostEventChars && dropped < events.length) chars -= events[dropped++]?.chars ?? 0
    }
    return events.slice(dropped).map(({ event }) => event)
  })

  return Effect.fnUntraced(function* (caller: Caller, id: string, texts: boolean) {
    const inspected = yield* inspection.session(caller, id)
    const redaction = texts ? keepingTexts(inspection.redactorOf(inspected.view.agent)) : withoutTexts
    const steps = yield* stepsOf(caller, id, inspected.lastStep)
    const events = yield* eventsOf(caller, id, inspected.lastEvent, redaction.event)
    const now = yield* Clock.currentTimeMillis
    return {
      troupe: { version: manifest.version, exported_at: now / 1000, format: 1 },
      texts,
      cut: cutSentence(steps[0]?.seq ?? 1, events[0]?.seq ?? 1),
      me: { bounds: boundsDto(inspection.bounds) },
      detail: detailOf(redaction.session(inspected, steps), inspection.bounds, now),
      steps: steps.map((step) => stepDto(redaction.step(step))),
      events
    } satisfies Exported
  })
})

const cutSentence = (firstStep: number, firstEvent: number): string | null => {
  const omitted = [
    ...(firstStep > 1 ? [counted(firstStep - 1, "step")] : []),
    ...(firstEvent > 1 ? [counted(firstEvent - 1, "event")] : [])
  ]
  return omitted.length === 0
    ? null
    : `Left out at the beginning, because a file may not be longer: ${omitted.join(" and ")}.`
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`
