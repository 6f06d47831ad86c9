/** The operator's endpoints. Who comes here has the admin token. */
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
import { sessionView } from "../dto.ts"
import { usageOf } from "./agents.ts"
import { closed, pageOf } from "./sessions.ts"

const admin: Caller = { _tag: "Admin" }

export const layer = HttpApiBuilder.group(
  Api,
  "admin",
  Effect.fnUntraced(function* (handlers) {
    const apps = yield* Apps
    const runtime = yield* Operator
    const sessions = yield* Sessions
    const usageReport = yield* UsageReport

    return handlers.handleAll({
      createApp: Effect.fnUntraced(function* ({ payload }) {
        const { name, token } = yield* orProblem(apps.mint(payload.name))
        return { ok: true, name, token: Redacted.value(token) } as const
      }),
      listApps: Effect.fnUntraced(function* () {
        const list = yield* orProblem(apps.list)
        return { ok: true, count: list.length, apps: list } as const
      }),
      revokeApp: ({ params }) => Effect.as(orProblem(apps.revoke(params.name)), { ok: true } as const),

      sessions: Effect.fnUntraced(function* ({ query }) {
        const page = yield* orProblem(sessions.list(admin, pageOf(query)))
        const shown = page.items.map((session) => ({ app: session.app, ...sessionView(session) }))
        return { ok: true, count: page.count, sessions: shown, nextCursor: page.next } as const
      }),
      audit: Effect.fnUntraced(function* ({ params }) {
        const trail = yield* orProblem(sessions.audit(params.id))
        return { ok: true, count: trail.length, audit: trail.map(auditEntry) } as const
      }),
      close: Effect.fnUntraced(function* ({ params }) {
        return closed((yield* orProblem(sessions.close(admin, params.id))).alreadyClosed)
      }),
      unpark: Effect.fnUntraced(function* ({ params }) {
        return { ok: true, unparked: yield* orProblem(sessions.unpark(params.id)) } as const
      }),

      sweep: Effect.fnUntraced(function* () {
        return { ok: true, ...(yield* orProblem(runtime.sweep)) } as const
      }),
      usage: ({ query }) => usageOf(usageReport, admin, query),
      metrics: Effect.fnUntraced(function* () {
        return HttpServerResponse.text(yield* orProblem(runtime.metrics), {
          contentType: "text/plain; version=0.0.4; charset=utf-8"
        })
      })
    })
  })
)

/** Details are JSON: they come from the ledger. */
const auditEntry = ({ action, actor, app, at, detail, session }: AuditRecord) => ({
  at,
  sessionId: session,
  app,
  action,
  actor,
  detail: detail as Readonly<Record<string, Schema.Json>>
})
