/** The operator's endpoints. The contract's `AdminOnly` lets in the admin token only. */
import { Effect, Redacted } from "effect"
import type { Schema } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Apps } from "../../services/Apps.ts"
import { Operator } from "../../services/Operator.ts"
import { Sessions } from "../../services/Sessions.ts"
import type { Caller } from "../../services/Sessions.ts"
import { UsageReport } from "../../services/UsageReport.ts"
import type { AuditRecord } from "../../domain/Session.ts"
import { Api } from "../Api.ts"
import { orProblem } from "../problems.ts"
import { sessionDto } from "../dto.ts"
import { usageOf } from "./agents.ts"
import { closed, pageOf } from "./sessions.ts"

const admin: Caller = { _tag: "Admin" }

export const layer = HttpApiBuilder.group(
  Api,
  "admin",
  Effect.fnUntraced(function* (handlers) {
    const apps = yield* Apps
    const operator = yield* Operator
    const sessions = yield* Sessions
    const usageReport = yield* UsageReport

    return handlers.handleAll({
      createApp: Effect.fnUntraced(function* ({ payload }) {
        const { name, token } = yield* orProblem(
          apps.mint(payload.name, { adopt: payload.adopt, bounds: payload.bounds })
        )
        return { ok: true, name, token: Redacted.value(token) } as const
      }),
      listApps: Effect.fnUntraced(function* () {
        const all = yield* orProblem(apps.list)
        return { ok: true, count: all.length, apps: all } as const
      }),
      limitApp: Effect.fnUntraced(function* ({ params, payload }) {
        return { ok: true, name: params.name, bounds: yield* orProblem(apps.limit(params.name, payload)) } as const
      }),
      revokeApp: ({ params }) => Effect.as(orProblem(apps.revoke(params.name)), { ok: true } as const),

      sessions: Effect.fnUntraced(function* ({ query }) {
        const page = yield* orProblem(sessions.list(admin, pageOf(query)))
        const sessionsOfPage = page.items.map((session) => ({ app: session.app, ...sessionDto(session) }))
        return { ok: true, count: page.count, sessions: sessionsOfPage, nextCursor: page.next } as const
      }),
      audit: Effect.fnUntraced(function* ({ params }) {
        const records = yield* orProblem(sessions.audit(params.id))
        return { ok: true, count: records.length, audit: records.map(auditDto) } as const
      }),
      close: Effect.fnUntraced(function* ({ params }) {
        return closed((yield* orProblem(sessions.close(admin, params.id))).alreadyClosed)
      }),
      unpark: Effect.fnUntraced(function* ({ params }) {
        return { ok: true, unparked: yield* orProblem(sessions.unpark(params.id)) } as const
      }),
      move: Effect.fnUntraced(function* ({ params, payload }) {
        return { ok: true, ...(yield* orProblem(sessions.move(params.id, payload.node ?? null))) } as const
      }),

      sweep: Effect.fnUntraced(function* () {
        return { ok: true, ...(yield* orProblem(operator.sweep)) } as const
      }),
      usage: ({ query }) => usageOf(usageReport, admin, query),
      metrics: Effect.fnUntraced(function* () {
        return HttpServerResponse.text(yield* orProblem(operator.metrics), {
          contentType: "text/plain; version=0.0.4; charset=utf-8"
        })
      })
    })
  })
)

/** Details are JSON, because they come from the ledger. */
const auditDto = ({ action, actor, app, at, detail, session }: AuditRecord) => ({
  at,
  sessionId: session,
  app,
  action,
  actor,
  detail: detail as Readonly<Record<string, Schema.Json>>
})
