/** What is stored of one session, and what is known of its process now. All of it also of a closed one. */
import { Clock, Effect, Option } from "effect"
import { RuntimeSettings } from "../../runtime/RuntimeSettings.ts"
import { cannot } from "../../runtime/errors.ts"
import { CommandHandler } from "../../session/CommandHandler.ts"
import { Sessions } from "../../services/Sessions.ts"
import { Processes } from "../../agent/Processes.ts"
import { wasCut } from "../../agent/wireLine.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"
import { Ledger } from "../../ledger/Ledger.ts"
import type { Detail, Events, Processes as ProcessesOf, Steps, Wire } from "../contract.ts"
import { detailOf } from "../detail/detail.ts"
import * as ReadSession from "../../services/inspection/readSession.ts"
import { eventDto, stepDto } from "../detail/dto.ts"
import { get, integerOf } from "./route.ts"
import type { Asked } from "./route.ts"
import { routes } from "./route.ts"

const pageSize = { least: 1, most: 1_000, otherwise: 200 }
const fromTheFirst = { least: 0, most: Number.MAX_SAFE_INTEGER, otherwise: 0 }
/** Characters of JSON in a page of events: one of them may have megabytes. The first is told in any case. */
const pageChars = 8 * 1024 * 1024

const noWire = {
  code: "no_wire",
  status: 404,
  detail: "No line of the agent is kept for this step: it came of a request, of a timer, or of Troupe's own doing."
} as const satisfies ProblemDetails

export const idOf = ({ params }: Asked): string => params["id"] ?? ""

export const layer = routes(
  Effect.gen(function* () {
    const readSession = yield* ReadSession.make
    const { limits } = yield* RuntimeSettings
    const commandHandler = yield* CommandHandler
    const ledger = yield* Ledger
    const processes = yield* Processes
    const sessions = yield* Sessions

    const ofCaller = (asked: Asked) => sessions.get(asked.caller, idOf(asked))

    const pageOf = Effect.fnUntraced(function* ({ query }: Asked) {
      const after = yield* integerOf(query, "after", fromTheFirst)
      return { after, limit: yield* integerOf(query, "limit", pageSize) }
    })

    return [
      get(
        "/sessions/:id",
        Effect.fnUntraced(function* (asked) {
          const inspected = yield* readSession(asked.caller, idOf(asked))
          return detailOf(inspected, limits, yield* Clock.currentTimeMillis) satisfies Detail
        })
      ),
      get(
        "/sessions/:id/steps",
        Effect.fnUntraced(function* (asked) {
          const { id } = yield* ofCaller(asked)
          const { after, limit } = yield* pageOf(asked)
          const steps = yield* ledger.steps(id, after, limit)
          const next = steps.length < limit ? null : (steps.at(-1)?.seq ?? null)
          return { ok: true, steps: steps.map(stepDto), next } satisfies Steps
        }, cannot("read the steps"))
      ),
      get(
        "/sessions/:id/steps/:seq/wire",
        Effect.fnUntraced(function* (asked) {
          const { id } = yield* ofCaller(asked)
          const seq = /^\d{1,15}$/.test(asked.params["seq"] ?? "") ? Number(asked.params["seq"]) : 0
          const line = yield* ledger.wireLine(id, seq).pipe(cannot("read the line behind the step"))
          if (Option.isNone(line)) return yield* Effect.fail(noWire)
          return { ok: true, seq, line: line.value, truncated: wasCut(line.value) } satisfies Wire
        })
      ),
      get(
        "/sessions/:id/events",
        Effect.fnUntraced(function* (asked) {
          const { id } = yield* ofCaller(asked)
          const { after, limit } = yield* pageOf(asked)
          const stored = yield* ledger.events(id, after, limit)
          const events = withinChars(stored.map(eventDto), pageChars)
          const next = events.length < stored.length || stored.length === limit ? (events.at(-1)?.seq ?? null) : null
          return { ok: true, events, next } satisfies Events
        }, cannot("read the events"))
      ),
      get(
        "/sessions/:id/processes",
        Effect.fnUntraced(function* (asked) {
          const { id } = yield* ofCaller(asked)
          const lease = commandHandler.lease(id)
          if (lease === null) return { ok: true, tree: [], stderr: "" } satisfies ProcessesOf
          const tree = yield* processes.tree(lease)
          const vitals = yield* processes.vitals(lease)
          return {
            ok: true,
            tree: tree.map(({ command, pid, ppid, rssBytes, startedAt }) => ({
              pid,
              ppid,
              command,
              rss_bytes: rssBytes,
              started_at: startedAt === null ? null : startedAt / 1000
            })),
            stderr: vitals?.stderr ?? ""
          } satisfies ProcessesOf
        })
      )
    ]
  })
)

/** As many as fit, at least one. */
export const withinChars = <A>(all: ReadonlyArray<A>, chars: number): ReadonlyArray<A> => {
  let left = chars
  const fits = all.findIndex((one) => (left -= JSON.stringify(one).length) < 0)
  return fits === -1 ? all : all.slice(0, Math.max(1, fits))
}
