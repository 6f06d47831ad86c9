/**
 * Problems on the wire: RFC 9457 problem details that also carry `ok: false` and a stable `error` code.
 *
 * Each status has a class of its own, so an endpoint declares the problems it can answer with and the compiler holds its
 * handler to them. `problemOf` makes the problem of a status from a domain refusal or from details of HTTP's own. The tag
 * and the message of a problem are a client's, for `Effect.catchTag` and logs, and are not on the wire.
 */
import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import type { ExceededLimit } from "../../domain/Refusal.ts"
import { ErrorCode } from "./codes.ts"
import { wire, wireOf } from "./wire.ts"

const fields = <const Status extends number>(status: Status) => ({
  ok: Schema.Literal(false),
  error: ErrorCode,
  type: Schema.String.annotate({ description: "The same code as a URI, as RFC 9457 has it." }),
  title: Schema.String,
  status: Schema.Literal(status),
  detail: Schema.String.annotate({ description: "What is wrong, and what to do about it, for a person." }),
  requestId: Schema.String.annotate({ description: "The same as the `x-request-id` header, and in the server's log." })
})

export class BadRequest extends Schema.Error<BadRequest>("BadRequest")(fields(400)) {
  get _tag() {
    return "BadRequest" as const
  }
  override get message() {
    return this.detail
  }
}
export class Unauthorized extends Schema.Error<Unauthorized>("Unauthorized")(fields(401)) {
  get _tag() {
    return "Unauthorized" as const
  }
  override get message() {
    return this.detail
  }
}
export class Forbidden extends Schema.Error<Forbidden>("Forbidden")(fields(403)) {
  get _tag() {
    return "Forbidden" as const
  }
  override get message() {
    return this.detail
  }
}
export class NotFound extends Schema.Error<NotFound>("NotFound")(fields(404)) {
  get _tag() {
    return "NotFound" as const
  }
  override get message() {
    return this.detail
  }
}
export class MethodNotAllowed extends Schema.Error<MethodNotAllowed>("MethodNotAllowed")(fields(405)) {
  get _tag() {
    return "MethodNotAllowed" as const
  }
  override get message() {
    return this.detail
  }
}
export class Conflict extends Schema.Error<Conflict>("Conflict")(fields(409)) {
  get _tag() {
    return "Conflict" as const
  }
  override get message() {
    return this.detail
  }
}
export class Gone extends Schema.Error<Gone>("Gone")(fields(410)) {
  get _tag() {
    return "Gone" as const
  }
  override get message() {
    return this.detail
  }
}
export class TooLarge extends Schema.Error<TooLarge>("TooLarge")(fields(413)) {
  get _tag() {
    return "TooLarge" as const
  }
  override get message() {
    return this.detail
  }
}
export class UnsupportedMedia extends Schema.Error<UnsupportedMedia>("UnsupportedMedia")(fields(415)) {
  get _tag() {
    return "UnsupportedMedia" as const
  }
  override get message() {
    return this.detail
  }
}
export class Unprocessable extends Schema.Error<Unprocessable>("Unprocessable")(fields(422)) {
  get _tag() {
    return "Unprocessable" as const
  }
  override get message() {
    return this.detail
  }
}
export class ServerFault extends Schema.Error<ServerFault>("ServerFault")(fields(500)) {
  get _tag() {
    return "ServerFault" as const
  }
  override get message() {
    return this.detail
  }
}
/** `retryAfter` is in seconds, and also the `retry-after` header; `limit` is also the `ratelimit` headers. */
export class Busy extends Schema.Error<Busy>("Busy")({
  ...fields(503),
  retryAfter: Schema.Int,
  limit: Schema.optionalKey(
    Schema.Struct({ name: Schema.String, quota: Schema.Int }).annotate({
      description: "The limit that was reached, and how much it allows; absent where none was."
    })
  ),
  reasons: Schema.optionalKey(Schema.Array(Schema.String))
}) {
  get _tag() {
    return "Busy" as const
  }
  override get message() {
    return this.detail
  }
}

const classes = {
  400: BadRequest,
  401: Unauthorized,
  403: Forbidden,
  404: NotFound,
  405: MethodNotAllowed,
  409: Conflict,
  410: Gone,
  413: TooLarge,
  415: UnsupportedMedia,
  422: Unprocessable,
  500: ServerFault,
  503: Busy
}

export type ProblemStatus = keyof typeof classes
export type Problem = InstanceType<(typeof classes)[ProblemStatus]>

/** What a problem says, apart from the request it answers. Every domain `Refusal` has these fields. */
export interface ProblemDetails {
  readonly code: ErrorCode
  readonly status: ProblemStatus
  readonly detail: string
  readonly retryAfterSeconds?: number
  readonly exceeded?: ExceededLimit
  readonly reasons?: ReadonlyArray<string>
}

export type ProblemOf<D extends ProblemDetails> = D extends { readonly status: infer Status extends ProblemStatus }
  ? InstanceType<(typeof classes)[Status]>
  : never

export const problemOf = <D extends ProblemDetails>(details: D, requestId: string): ProblemOf<D> => {
  // Each class checks that the status is its own.
  const Problem = classes[details.status] as new (members: ProblemMembers) => Problem
  return new Problem(problemMembers(details, requestId)) as ProblemOf<D>
}

export type ProblemMembers = ReturnType<typeof problemMembers>

/** The members of a problem, also for statuses that no endpoint declares, such as those of unreadable requests. */
export const problemMembers = (
  details: Omit<ProblemDetails, "status"> & { readonly status: number },
  requestId: string
) => ({
  ok: false as const,
  error: details.code,
  type: `urn:troupe:error:${details.code}`,
  title: titleOf(details.code),
  status: details.status,
  detail: details.detail,
  requestId,
  ...(details.status === 503 ? { retryAfter: details.retryAfterSeconds ?? defaultRetrySeconds } : {}),
  ...(details.exceeded === undefined ? {} : { limit: details.exceeded }),
  ...(details.reasons === undefined ? {} : { reasons: details.reasons })
})

export const defaultRetrySeconds = 5

/** `session_closed` reads "Session closed". */
const titleOf = (code: string) => `${code[0]?.toUpperCase() ?? ""}${code.slice(1).replaceAll("_", " ")}`

const asProblem = HttpApiSchema.asJson({ contentType: "application/problem+json" })

/** Problems differ on the wire in their `status` and in their description only. */
const documented = <S extends (typeof classes)[ProblemStatus]>(self: S, status: number, description: string) =>
  wireOf(self, `Problem${status}`, { description }).pipe(HttpApiSchema.status(status), asProblem)

/** The problem of each status, as endpoints list it among their errors. */
export const BadRequestProblem = documented(
  BadRequest,
  400,
  "Not a request that this endpoint takes; says which field."
)
export const ForbiddenProblem = documented(
  Forbidden,
  403,
  "The token is valid, and not for this: it takes the admin's, or the operator has bounded what the app may ask for. Or the request's `Host` or `Origin` is not served."
)
export const NotFoundProblem = documented(
  NotFound,
  404,
  "Nothing of this app has that name. Another app's and one that never was are the same."
)
export const ConflictProblem = documented(Conflict, 409, "It clashes with what is there.")
export const GoneProblem = documented(Gone, 410, "The session is closed.")
export const TooLargeProblem = documented(TooLarge, 413, "The body or the file is over its limit.")
export const UnsupportedMediaProblem = documented(UnsupportedMedia, 415, "The body has another content type.")
export const UnprocessableProblem = documented(Unprocessable, 422, "Understood, and not possible.")
export const ServerFaultProblem = documented(ServerFault, 500, "A fault of the server; its log has the cause.")

const badToken = "The token is missing, malformed, unknown or revoked."
const notNow = "Full, draining, not ready, or the ledger can't be written now. Try again after `retry-after` seconds."

export const UnauthorizedProblem = Schema.toType(Unauthorized).pipe(
  HttpApiSchema.encodeToWithHeaders(
    {
      body: documented(Unauthorized, 401, badToken),
      headers: { "www-authenticate": Schema.String }
    },
    { decode: ({ body }) => body, encode: (body) => ({ body, headers: { "www-authenticate": "Bearer" } }) }
  ),
  Schema.annotate({ description: badToken })
)
export const BusyProblem = Schema.toType(Busy).pipe(
  HttpApiSchema.encodeToWithHeaders(
    {
      body: documented(Busy, 503, notNow),
      headers: {
        "retry-after": Schema.String,
        "ratelimit-policy": Schema.optionalKey(Schema.String),
        ratelimit: Schema.optionalKey(Schema.String)
      }
    },
    { decode: ({ body }) => body, encode: (body) => ({ body, headers: waitHeaders(body.retryAfter, body.limit) }) }
  ),
  Schema.annotate({ description: notNow })
)

/**
 * When to come again, and which limit was reached: `RateLimit` of the IETF's draft (draft-ietf-httpapi-ratelimit-headers-10),
 * in which nothing is left of the quota now.
 */
export const waitHeaders = (retryAfter: number, limit?: ExceededLimit) => ({
  "retry-after": String(retryAfter),
  ...(limit === undefined
    ? {}
    : { "ratelimit-policy": `"${limit.name}";q=${limit.quota}`, ratelimit: `"${limit.name}";r=0;t=${retryAfter}` })
})

/** The problems of every endpoint that reads a body or a parameter. */
export const badRequests = [BadRequestProblem, TooLargeProblem, UnsupportedMediaProblem] as const

/**
 * The problems of everything that reads or writes the ledger: a defect, and a ledger that is away for a moment. And of every
 * request, whose `Host` or `Origin` may be one that is not served.
 */
export const ownFaults = [BusyProblem, ForbiddenProblem, ServerFaultProblem] as const

/** The problem of a stream, which fails after its headers are sent: it is the `error` event, whatever its status. */
export const StreamProblem = wire("StreamProblem", {
  ...fields(500),
  status: Schema.Int,
  retryAfter: Schema.optionalKey(Schema.Int),
  limit: Busy.fields.limit
})
