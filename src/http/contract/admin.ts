/** The contract of the operator's endpoints: apps and their tokens, all sessions, the audit trail, sweeps, metrics. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { AppBounds } from "../../domain/appBounds.ts"
import { AdminOnly } from "./Auth.ts"
import { NextCursor, SessionParams, UsageQuery, UsageReport } from "./bodies.ts"
import {
  badRequests,
  ConflictProblem,
  GoneProblem,
  NotFoundProblem,
  ownFaults,
  UnprocessableProblem
} from "./Problem.ts"
import { sessionFields, SessionQuery } from "./sessions.ts"
import { Instant, Ok, wire, wireOf } from "./wire.ts"

export const AuditEntry = wire("AuditEntry", {
  at: Instant,
  sessionId: Schema.NullOr(Schema.String),
  app: Schema.NullOr(Schema.String),
  action: Schema.String.annotate({ examples: ["create", "turn_start", "turn_end", "sweep_close"] }),
  actor: Schema.String.annotate({ description: "An app's name, `admin`, or `troupe` itself." }),
  detail: Schema.Record(Schema.String, Schema.Json)
})

const Bounds = wireOf(AppBounds, "AppBounds", {
  description: "What an app may ask for; what is absent is unbounded.",
  example: { max_permissions: "ask", agents: ["codex"], cwd_roots: ["/srv/repos"], network: false }
})

export class AdminGroup extends HttpApiGroup.make("admin")
  .add(
    HttpApiEndpoint.post("createApp", "/admin/apps", {
      payload: wire("CreateApp", {
        name: Schema.String.annotate({ examples: ["my-app"] }).annotateKey({
          messageMissingKey: "is missing; it takes a string"
        }),
        adopt: Schema.optionalKey(
          Schema.Boolean.annotate({
            description:
              "Of a name that was revoked: take over the sessions, files and usage of the revoked app. Default `false`: those go on under another name, such as `my-app~1`."
          })
        ),
        bounds: Schema.optionalKey(Bounds)
      }),
      success: wire("CreatedApp", { ok: Ok, name: Schema.String, token: Schema.String }),
      error: [...badRequests, ConflictProblem, ...ownFaults]
    }).annotate(OpenApi.Summary, "Mint an app; its token is shown here and never again"),
    HttpApiEndpoint.get("listApps", "/admin/apps", {
      success: wire("AppList", {
        ok: Ok,
        count: Schema.Int,
        apps: Schema.Array(
          wire("App", {
            name: Schema.String,
            createdAt: Instant,
            revokedAt: Schema.NullOr(Instant),
            openSessions: Schema.Int,
            bounds: Schema.NullOr(Bounds).annotate({ description: "null: it may ask for anything." })
          })
        )
      }),
      error: [...ownFaults]
    }).annotate(OpenApi.Summary, "Apps, without their tokens"),
    HttpApiEndpoint.post("limitApp", "/admin/apps/:name/bounds", {
      params: { name: Schema.String },
      payload: Bounds,
      success: wire("BoundedApp", { ok: Ok, name: Schema.String, bounds: Schema.NullOr(Bounds) }),
      error: [...badRequests, NotFoundProblem, ...ownFaults]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Bound what an app may ask for, in place of all its bounds before",
        description:
          "What is left out is unbounded. What is beyond a bound is refused with 403 `not_allowed` when a session is created or changed, or a run begins. A session that is beyond them by now fails its next start, as `config`."
      })
    ),
    HttpApiEndpoint.delete("revokeApp", "/admin/apps/:name", {
      params: { name: Schema.String },
      success: wire("RevokedApp", { ok: Ok }),
      error: [NotFoundProblem, ...ownFaults]
    }).annotate(OpenApi.Summary, "Revoke an app's token"),
    HttpApiEndpoint.get("sessions", "/admin/sessions", {
      query: SessionQuery,
      success: wire("AdminSessionPage", {
        ok: Ok,
        count: Schema.Int,
        sessions: Schema.Array(wire("AdminSession", { app: Schema.String, ...sessionFields })),
        nextCursor: NextCursor
      }),
      error: [...badRequests, ...ownFaults]
    }).annotate(OpenApi.Summary, "All apps' sessions, newest first"),
    HttpApiEndpoint.get("audit", "/admin/sessions/:id/audit", {
      params: SessionParams,
      success: wire("AuditTrail", { ok: Ok, count: Schema.Int, audit: Schema.Array(AuditEntry) }),
      error: [NotFoundProblem, ...ownFaults]
    }).annotate(OpenApi.Summary, "What was done with a session, by whom; outlives it"),
    HttpApiEndpoint.post("close", "/admin/sessions/:id/close", {
      params: SessionParams,
      success: wire("AdminClosed", { ok: Ok, alreadyClosed: Schema.optionalKey(Schema.Literal(true)) }),
      error: [NotFoundProblem, ...ownFaults]
    }).annotate(OpenApi.Summary, "Close any session"),
    HttpApiEndpoint.post("unpark", "/admin/sessions/:id/unpark", {
      params: SessionParams,
      success: wire("Unparked", { ok: Ok, unparked: Schema.Boolean }),
      error: [NotFoundProblem, ...ownFaults]
    }).annotate(OpenApi.Summary, "Let a parked session try again now; `unparked` is false where it was not parked"),
    HttpApiEndpoint.post("move", "/admin/sessions/:id/move", {
      params: SessionParams,
      payload: wire("MoveSession", {
        node: Schema.optionalKey(
          Schema.String.annotate({
            description: "A node's name; the one with the most room where it is left out.",
            examples: ["node-2"]
          })
        )
      }),
      success: wire("MovedSession", {
        ok: Ok,
        node: Schema.String,
        moved: Schema.Boolean.annotate({ description: "`false`: that node had it already." })
      }),
      error: [...badRequests, NotFoundProblem, ConflictProblem, GoneProblem, UnprocessableProblem, ...ownFaults]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Move a session to another node, where several work on one database",
        description:
          "Its agent is ended, and started by the other node for the next turn. Refused with 409 `turn_in_progress` while a turn is with the agent; turns in line go along."
      })
    ),
    HttpApiEndpoint.post("sweep", "/admin/sweep", {
      success: wire("Swept", { ok: Ok, softClosed: Schema.Int, hardDeleted: Schema.Int }),
      error: [...ownFaults]
    }).annotate(OpenApi.Summary, "Sweep now: close what is over its TTL, delete what has been closed long enough"),
    HttpApiEndpoint.get("usage", "/admin/usage", {
      query: UsageQuery,
      success: UsageReport,
      error: [...badRequests, ...ownFaults]
    }).annotate(OpenApi.Summary, "Tokens and turns of all apps, by day, app and agent"),
    HttpApiEndpoint.get("metrics", "/metrics", {
      success: Schema.String.pipe(HttpApiSchema.asText()),
      error: [...ownFaults]
    }).annotate(OpenApi.Summary, "Numbers for Prometheus")
  )
  .middleware(AdminOnly)
  .annotate(OpenApi.Description, "For the operator: every endpoint here takes the admin token.") {}
