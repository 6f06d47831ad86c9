/** Who may call: every endpoint except `/healthz` and `/readyz` requires a bearer token, `/admin` the admin token. */
import { Context } from "effect"
import { HttpApiMiddleware, HttpApiSecurity, OpenApi } from "effect/http-api"
import type { Caller } from "../../services/Sessions.ts"
import { ForbiddenProblem, UnauthorizedProblem, ownFaults } from "./Problem.ts"

/** The caller that the request's token belongs to. */
export class CurrentCaller extends Context.Service<CurrentCaller, Caller>()("troupe/http/CurrentCaller") {}

const bearer = HttpApiSecurity.bearer.pipe(
  HttpApiSecurity.annotate(
    OpenApi.Description,
    "An app's token (`trp_…`, from `troupe app create`), or the admin token. Sent as `Authorization: Bearer <token>`."
  )
)

/** An app's token, or the admin's. */
export class Authorized extends HttpApiMiddleware.Service<Authorized, { provides: CurrentCaller }>()(
  "troupe/http/Authorized",
  { security: { bearer }, error: [UnauthorizedProblem, ...ownFaults] }
) {}

/** The admin's token; an app's is 403. */
export class AdminOnly extends HttpApiMiddleware.Service<AdminOnly>()("troupe/http/AdminOnly", {
  security: { bearer },
  error: [UnauthorizedProblem, ForbiddenProblem, ...ownFaults]
}) {}
