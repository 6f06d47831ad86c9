/** What is stored of one session, and what is known of its process now. Closed sessions can be read too. */
import { Clock, Effect, Option } from "effect"
import { cut } from "../../domain/cut.ts"
import { Inspection } from "../../services/Inspection.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"
import type { Detail, Diagnosis, Events, Processes, Steps, Turns, Wire } from "../sessionContract.ts"
import { diagnosisOf } from "../detail/diagnosis.ts"
import { detailOf } from "../detail/detail.ts"
import { eventDto, processDto, sampleDto, stepDto, turnDto } from "../detail/dto.ts"
import { get, integerOf } from "./route.ts"
import type { RouteContext } from "./route.ts"
import { routes } from "./route.ts"

const pageSize = { least: 1, most: 1_000, otherwise: 200 }
const fromTheFirst = { least: 0, most: Number.MAX_SAFE_INTEGER, otherwise: 0 }
/** Characters of JSON in a page of events: one event may have megabytes. The first is in the page in any case. */
const pageChars = 8 * 1024 * 1024

const noWire = {
  code: "no_wire",
  status: 404,
  detail: "No line of the agent is kept for this step: it came of a request, of a timer, or of Troupe's own doing."
} as const satisfies ProblemDetails

export const idOf = ({ params }: RouteContext): string => params["id"] ?? ""

export const layer = routes(
  Effect.gen(function* () {
    const inspection = yield* Inspection

    const rangeOf = Effect.fnUntraced(function* ({ query }: RouteContext) {
      const after = yield* integerOf(query, "after", fromTheFirst)
      return { after, limit: yield* integerOf(query, "limit", pageSize) }
    })

    return [
      get(
        "/sessions/:id",
        Effect.fnUntraced(function* (context) {
          const inspected = yield* inspection.session(context.caller, idOf(context))
          return detailOf(inspected, inspection.bounds, yield* Clock.currentTimeMillis) satisfies Detail
        })
      ),
      get(
        "/sessions/:id/steps",
        Effect.fnUntraced(function* (context) {
          const range = yield* rangeOf(context)
          const steps = yield* inspection.steps(context.caller, idOf(context), range)
          const next = steps.length < range.limit ? null : (steps.at(-1)?.seq ?? null)
          return { ok: true, steps: steps.map(stepDto), next } satisfies Steps
        }),
        { query: ["after", "limit"] }
      ),
      get(
        "/sessions/:id/steps/:seq/wire",
        Effect.fnUntraced(function* (context) {
          const seq = /^\d{1,15}$/.test(context.params["seq"] ?? "") ? Number(context.params["seq"]) : 0
          const stored = yield* inspection.agentLine(context.caller, idOf(context), seq)
          if (Option.isNone(stored)) return yield* Effect.fail(noWire)
          const { isCut, line } = stored.value
          return { ok: true, seq, line, truncated: isCut } satisfies Wire
        })
      ),
      get(
        "/sessions/:id/events",
        Effect.fnUntraced(function* (context) {
          const range = yield* rangeOf(context)
          const stored = yield* inspection.events(context.caller, idOf(context), range)
          const events = withinChars(stored.map(eventDto), pageChars)
          const isLast = events.length === stored.length && stored.length < range.limit
          return { ok: true, events, next: isLast ? null : (events.at(-1)?.seq ?? null) } satisfies Events
        }),
        { query: ["after", "limit"] }
      ),
      get(
        "/sessions/:id/turns",
        Effect.fnUntraced(function* (context) {
          const range = yield* rangeOf(context)
          const stored = yield* inspection.turns(context.caller, idOf(context), range)
          const next = stored.length < range.limit ? null : (stored.at(-1)?.index ?? null)
          const turns = stored.map((turn) => turnDto({ ...turn, prompt: shortPrompt(turn.prompt) }, false, undefined))
          return { ok: true, turns, next } satisfies Turns
        }),
        { query: ["after", "limit"] }
      ),
      get(
        "/sessions/:id/why",
        Effect.fnUntraced(function* (context) {
          const { bounds, processes, session } = yield* inspection.examine(context.caller, idOf(context))
          const now = yield* Clock.currentTimeMillis
          const stderr = session.vitals?.stderr ?? ""
          return diagnosisOf({
            detail: detailOf(session, inspection.bounds, now),
            session,
            processes,
            stderr,
            bounds,
            now
          }) satisfies Diagnosis
        })
      ),
      get(
        "/sessions/:id/processes",
        Effect.fnUntraced(function* (context) {
          const processes = yield* inspection.processes(context.caller, idOf(context))
          return {
            ok: true,
            tree: processes.tree.map(processDto),
            samples: processes.samples.map(sampleDto),
            stderr: processes.stderr,
            malformed_lines: processes.malformedLines,
            first_malformed_line: processes.firstMalformedLine
          } satisfies Processes
        })
      )
    ]
  })
)

const shortPrompt = (text: string): string => (text.length > 300 ? `${cut(text, 300)}…` : text)

/** The first items whose JSON fits into `chars`, at least one. */
export const withinChars = <A>(items: ReadonlyArray<A>, chars: number): ReadonlyArray<A> => {
  let left = chars
  const end = items.findIndex((item) => (left -= JSON.stringify(item).length) < 0)
  return end === -1 ? items : items.slice(0, Math.max(1, end))
}
