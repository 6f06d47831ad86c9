/** `POST login`, `POST logout`, `GET me` and `POST link`. A token is in the body and in the encrypted cookie, never in an address. */
import { Clock, Effect, Layer, Redacted, Schema } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import manifest from "../../../package.json" with { type: "json" }
import { Inspection } from "../../services/Inspection.ts"
import type { Caller } from "../../services/Inspection.ts"
import { InvalidRequest } from "../../domain/Refusal.ts"
import type { Link, Login, Me } from "../contract.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"
import { answeringRefusals } from "../../http/problems.ts"
import { boundsDto } from "../detail/dto.ts"
import { Hub } from "../Hub.ts"
import { Access, isHttps, withCookie } from "./Access.ts"
import { bodyOf, get, post, routes } from "./route.ts"

const secret = Schema.String.check(Schema.isMaxLength(512))
/** One of the two. No union, whose problems would be those of both its members. */
const LoginBody = Schema.Struct({ token: Schema.optionalKey(secret), code: Schema.optionalKey(secret) })

const loginOf = ({ code, token }: typeof LoginBody.Type): Effect.Effect<Login, InvalidRequest> => {
  if (token !== undefined && code === undefined) return Effect.succeed({ token })
  if (code !== undefined && token === undefined) return Effect.succeed({ code })
  return Effect.fail(new InvalidRequest({ field: "body", problem: "must have either token or code." }))
}

const meOf = Effect.gen(function* () {
  const { bounds, node } = yield* Inspection
  const { boot } = yield* Hub
  return Effect.fnUntraced(function* (caller: Caller): Effect.fn.Return<Me> {
    return {
      ok: true,
      admin: caller._tag === "Admin",
      app: caller._tag === "App" ? caller.app : null,
      version: manifest.version,
      node,
      now: (yield* Clock.currentTimeMillis) / 1000,
      boot,
      bounds: boundsDto(bounds)
    }
  })
})

/** The two that need no credential. */
const loginRoutes = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const access = yield* Access
    const me = yield* meOf
    yield* router.add("POST", "/inspect/api/login", (request) =>
      Effect.gen(function* () {
        const { caller, cookie } = yield* access.login(yield* loginOf(yield* bodyOf(request, LoginBody)))
        return withCookie(HttpServerResponse.jsonUnsafe(yield* me(caller)), request, cookie)
      }).pipe(answeringRefusals)
    )
    // Also where the cookie is no longer valid.
    yield* router.add("POST", "/inspect/api/logout", (request) =>
      Effect.succeed(withCookie(HttpServerResponse.jsonUnsafe({ ok: true }), request, null))
    )
  })
)

const meRoute = routes(Effect.map(meOf, (me) => [get("/me", ({ caller }) => me(caller))]))

const adminOnly = {
  code: "forbidden",
  status: 403,
  detail: "This takes the admin token; an app's token is not enough. Log in with that one."
} as const satisfies ProblemDetails

/** For who is the admin already, and is to be it in a browser. */
const linkRoute = routes(
  Effect.map(Access, ({ issueCode }) => [
    post(
      "/link",
      Effect.fnUntraced(function* ({ caller, request }) {
        if (caller._tag !== "Admin") return yield* Effect.fail(adminOnly)
        const { code, until } = yield* issueCode
        const scheme = isHttps(request) ? "https" : "http"
        const host = request.headers["host"] ?? "127.0.0.1"
        return {
          ok: true,
          url: `${scheme}://${host}/inspect/#code=${Redacted.value(code)}`,
          expires_at: until / 1000
        } satisfies Link
      })
    )
  ])
)

export const layer = Layer.mergeAll(loginRoutes, meRoute, linkRoute)
