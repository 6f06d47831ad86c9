/** The agents, and the tokens and turns used, over HTTP. */
import { Clock, DateTime, Effect, Option } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { UsageReport } from "../../services/UsageReport.ts"
import type { Caller } from "../../services/Sessions.ts"
import { Operator } from "../../services/Operator.ts"
import { Threads } from "../../services/Threads.ts"
import { addCosts } from "../../domain/Cost.ts"
import { InvalidRequest } from "../../domain/Refusal.ts"
import { addUsage, noUsage } from "../../domain/Turn.ts"
import { Api } from "../Api.ts"
import { CurrentCaller } from "../contract/Auth.ts"
import { defaultLimit } from "../contract/bodies.ts"
import { orProblem } from "../problems.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "agents",
  Effect.fnUntraced(function* (handlers) {
    const operator = yield* Operator
    const threads = yield* Threads
    const usageReport = yield* UsageReport

    return handlers.handleAll({
      list: () =>
        Effect.map(
          operator.agents,
          (agents) => ({ ok: true, agents: agents.map(({ starts: _, ...agent }) => agent) }) as const
        ),
      threads: Effect.fnUntraced(function* ({ params, query }) {
        const { cursor = null, cwd = null, limit = defaultLimit } = query
        const page = yield* orProblem(threads.list(yield* CurrentCaller, params.name, { cursor, cwd, limit }))
        return { ok: true, threads: page.threads, nextCursor: page.next } as const
      }),
      usage: Effect.fnUntraced(function* ({ query }) {
        return yield* usageOf(usageReport, yield* CurrentCaller, query)
      })
    })
  })
)

const thirtyDaysMillis = 30 * 24 * 3_600_000

export const usageOf = Effect.fnUntraced(function* (
  usageReport: UsageReport["Service"],
  caller: Caller,
  query: { readonly from?: string | undefined; readonly to?: string | undefined }
) {
  const to = query.to === undefined ? yield* Clock.currentTimeMillis : yield* instant("to", query.to)
  const from = query.from === undefined ? to - thirtyDaysMillis : yield* instant("from", query.from)
  const days = yield* usageReport.between(caller, from, to)
  return {
    ok: true,
    turns: days.reduce((turns, day) => turns + day.turns, 0),
    usage: days.reduce((sum, { usage }) => addUsage(sum, usage), noUsage),
    costs: addCosts(days.flatMap(({ costs }) => costs)),
    days
  } as const
}, orProblem)

const instant = (field: string, text: string) => {
  const seconds = Number(text)
  const millis = Number.isFinite(seconds) ? seconds * 1000 : Option.map(DateTime.make(text), DateTime.toEpochMillis)
  return Option.match(typeof millis === "number" ? Option.some(millis) : millis, {
    onNone: () =>
      Effect.fail(new InvalidRequest({ field, problem: "must be Unix seconds or an ISO date, such as 2026-11-21." })),
    onSome: (millis) => Effect.succeed(millis)
  })
}
