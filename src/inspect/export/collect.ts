/** Reads all that an exported session is made of, within bounds: of a longer one the last is kept, and it is said. */
import { Clock, Effect } from "effect"
import manifest from "../../../package.json" with { type: "json" }
import { cannot } from "../../runtime/errors.ts"
import { RuntimeSettings } from "../../runtime/RuntimeSettings.ts"
import type { Caller } from "../../services/Sessions.ts"
import { secretsOf } from "../../agent/redact.ts"
import type { SessionId } from "../../domain/Ids.ts"
import { Ledger } from "../../ledger/Ledger.ts"
import type { StepRecord } from "../../ledger/Ledger.ts"
import type { Exported, TranscriptEvent } from "../contract.ts"
import { detailOf } from "../detail/detail.ts"
import * as ReadSession from "../../services/inspection/readSession.ts"
import { eventDto, stepDto } from "../detail/dto.ts"
import { keepingTexts, withoutTexts } from "./redaction.ts"

/** What a browser still opens, and a server still holds in its memory. */
const mostSteps = 20_000
const mostEvents = 20_000
const mostEventChars = 24 * 1024 * 1024
const pageSize = 500

export const make = Effect.gen(function* () {
  const readSession = yield* ReadSession.make
  const ledger = yield* Ledger
  const { agents, limits } = yield* RuntimeSettings

  const stepsOf = Effect.fnUntraced(function* (id: SessionId, last: number) {
    const steps: Array<StepRecord> = []
    let after = Math.max(0, last - mostSteps)
    while (after < last) {
      const page = yield* ledger.steps(id, after, Math.min(pageSize, last - after))
      steps.push(...page)
      const end = page.at(-1)?.seq
      if (end === undefined) break
      after = end
    }
    return steps
  })

  /** `keep` makes them smaller before they are counted. The oldest give way. */
  const eventsOf = Effect.fnUntraced(function* (
    id: SessionId,
    last: number,
    keep: (event: TranscriptEvent) => TranscriptEvent
  ) {
    const kept: Array<{ readonly event: TranscriptEvent; readonly chars: number }> = []
    let chars = 0
    let dropped = 0
    let after = Math.max(0, last - mostEvents)
    while (after < last) {
      const page = yield* ledger.events(id, after, Math.min(pageSize, last - after))
      const end = page.at(-1)?.seq
      if (end === undefined) break
      after = end
      for (const stored of page) {
        const event = keep(eventDto(stored))
        const size = JSON.stringify(event).length
        kept.push({ event, chars: size })
        chars += size
      }
      while (chars > mostEventChars && dropped < kept.length) chars -= kept[dropped++]?.chars ?? 0
    }
    return kept.slice(dropped).map(({ event }) => event)
  })

  return Effect.fnUntraced(function* (caller: Caller, id: string, texts: boolean) {
    const inspected = yield* readSession(caller, id)
    const { id: session } = inspected.view
    const redaction = texts ? keepingTexts(secretsOf(agents[inspected.view.agent]?.env ?? {})) : withoutTexts
    const steps = yield* stepsOf(session, inspected.lastStep)
    const events = yield* eventsOf(session, inspected.lastEvent, redaction.event)
    const now = yield* Clock.currentTimeMillis
    return {
      troupe: { version: manifest.version, exported_at: now / 1000, format: 1 },
      texts,
      cut: cutOf(steps[0]?.seq ?? 1, events[0]?.seq ?? 1),
      me: {
        bounds: {
          pool_wait_millis: limits.poolWaitMillis,
          hibernate_after_millis: limits.hibernateAfterMillis,
          restart_intensity: limits.restartIntensity,
          restart_period_millis: limits.restartPeriodMillis
        }
      },
      detail: detailOf(redaction.session(inspected, steps), limits, now),
      steps: steps.map((step) => stepDto(redaction.step(step))),
      events
    } satisfies Exported
  }, cannot("export the session"))
})

const cutOf = (firstStep: number, firstEvent: number): string | null => {
  const left = [
    ...(firstStep > 1 ? [counted(firstStep - 1, "step")] : []),
    ...(firstEvent > 1 ? [counted(firstEvent - 1, "event")] : [])
  ]
  return left.length === 0
    ? null
    : `Left out at the beginning, because a file may not be longer: ${left.join(" and ")}.`
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`
