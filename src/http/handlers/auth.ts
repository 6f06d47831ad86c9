/** Finds the caller of a bearer token. Every kind of bad token gets the same 401, so guessing reveals nothing. */
import { Context, Effect, Layer, Option, Redacted } from "effect"
import { HttpServerRequest } from "effect/http"
import type { HttpApiEndpoint } from "effect/http-api"
import { Apps } from "../../services/Apps.ts"
import type { Caller } from "../../services/Sessions.ts"
import { AccessEnds, accessEnds } from "../accessEnds.ts"
import { checkBody } from "../checkBody.ts"
import { AdminOnly, Authorized, CurrentCaller } from "../contract/Auth.ts"
import type { ProblemDetails } from "../contract/Problem.ts"
import { failWith, orProblem } from "../problems.ts"

const unauthorized = {
  code: "unauthorized",
  status: 401,
  detail: "Send a valid token as `Authorization: Bearer <token>`. `troupe app create NAME` makes one."
} as const satisfies ProblemDetails

const forbidden = {
  code: "forbidden",
  status: 403,
  detail: "This takes the admin token (TROUPE_ADMIN_TOKEN); an app's token is not enough."
} as const satisfies ProblemDetails

/** The caller where the program that Troupe is embedded in has authenticated the request; `null`: a token has to. */
export const HostCaller = Context.Reference<Caller | null>("troupe/http/HostCaller", { defaultValue: () => null })

const authenticate = (apps: Apps["Service"], credential: Redacted.Redacted<string>) =>
  Redacted.value(credential) === ""
    ? failWith(unauthorized)
    : Effect.flatMap(orProblem(apps.authenticate(credential)), (caller) =>
        Option.isNone(caller) ? failWith(unauthorized) : Effect.succeed(caller.value)
      )

/** The caller of a route that is no endpoint of the contract, by the same token, and the end of its access. */
export const arrivalOf = Effect.fnUntraced(function* (
  apps: Apps["Service"],
  { headers }: HttpServerRequest.HttpServerRequest
) {
  const known = yield* HostCaller
  if (known !== null) return { caller: known, accessEnds: Effect.never }
  const token = /^Bearer +(\S+)$/i.exec(headers["authorization"] ?? "")?.[1]
  if (token === undefined) return yield* Effect.fail(unauthorized)
  const credential = Redacted.make(token)
  const caller = yield* apps.authenticate(credential)
  if (Option.isNone(caller)) return yield* Effect.fail(unauthorized)
  return { caller: caller.value, accessEnds: accessEnds(stillValid(apps, credential)) }
})

const bodyChecked = ({ payload }: HttpApiEndpoint.Top) =>
  Effect.withFiber((fiber) =>
    checkBody(Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest), { takesBody: payload.size > 0 })
  )

/** Without the log line of a failed request: a look at a token that is not answered is no request. */
const stillValid = (apps: Apps["Service"], credential: Redacted.Redacted<string>) =>
  Effect.flatMap(apps.authenticate(credential), (caller) =>
    Option.isNone(caller) ? Effect.fail(unauthorized) : Effect.void
  )

const authorized = Layer.effect(
  Authorized,
  Effect.map(Apps, (apps) => ({
    bearer: (handler, { credential, endpoint }) =>
      Effect.withFiber((fiber) => {
        const checked = Effect.andThen(bodyChecked(endpoint), handler)
        const known = fiber.getRef(HostCaller)
        if (known !== null) return Effect.provideService(checked, CurrentCaller, known)
        const ends = accessEnds(stillValid(apps, credential))
        return Effect.flatMap(authenticate(apps, credential), (caller) =>
          checked.pipe(Effect.provideService(CurrentCaller, caller), Effect.provideService(AccessEnds, ends))
        )
      })
  }))
)

const adminOnly = Layer.effect(
  AdminOnly,
  Effect.map(Apps, (apps) => ({
    bearer: (handler, { credential, endpoint }) =>
      authenticate(apps, credential).pipe(
        Effect.flatMap((caller) => (caller._tag === "Admin" ? Effect.void : failWith(forbidden))),
        Effect.andThen(bodyChecked(endpoint)),
        Effect.andThen(handler)
      )
  }))
)

export const layer = Layer.merge(authorized, adminOnly)
