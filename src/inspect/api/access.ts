/**
 * Who looks: a bearer token as everywhere, or the cookie that a login sets, which holds the same credential sealed.
 *
 * Nothing about a login is kept, and a token is looked up at each request: a revoked one is refused at once. A browser
 * sends the cookie whoever makes it ask, so with it a request that changes something must carry a header that no
 * foreign page can send. A tool that can only be given an address gets a ticket: the same sealed, good once and for a
 * minute, and for looking only.
 */
import { Clock, Context, Effect, Layer, Option, Redacted } from "effect"
import { HttpServerResponse } from "effect/http"
import type { HttpServerRequest } from "effect/http"
import { randomBytes } from "node:crypto"
import { Apps } from "../../services/Apps.ts"
import type { Caller } from "../../services/Sessions.ts"
import type { Unavailable } from "../../domain/Refusal.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"
import type { Login } from "../contract.ts"
import * as Seal from "../CredentialCipher.ts"

export const cookieName = "troupe_inspect"
export const csrfHeader = "x-troupe-inspect"

const loginLastsMillis = 12 * 3_600_000
const codeLastsMillis = 15 * 60_000
/** Links that wait to be used; the oldest gives way. */
const mostCodes = 16
const ticketLastsMillis = 60_000
/** Used ones are remembered for as long as they would be good; the oldest gives way. */
const mostTickets = 4_096

const unauthorized = (detail: string) =>
  ({ code: "unauthorized", status: 401, detail }) as const satisfies ProblemDetails
type Unauthorized = ReturnType<typeof unauthorized>

const noCaller = unauthorized(
  "Log in at /inspect/, or send a valid token as `Authorization: Bearer <token>`. `troupe app create NAME` makes one."
)
const wrongToken = unauthorized(
  "This token is unknown or revoked. `troupe app create NAME` makes one; the admin's is in the data dir."
)
const wrongCode = unauthorized(
  "This link was used before, or is older than 15 minutes. Log in with a token; a restart prints a new link."
)
const wrongTicket = unauthorized(
  "This ticket was used before, or is older than a minute. `POST /inspect/api/ticket` gives another."
)

const foreign = {
  code: "csrf",
  status: 403,
  detail: `With the cookie, a POST must carry the header \`${csrfHeader}: 1\`.`
} as const satisfies ProblemDetails

type Request = HttpServerRequest.HttpServerRequest

export class Access extends Context.Service<
  Access,
  {
    /** Refused where there is no caller, or another page may have made the request. */
    readonly callerOf: (request: Request) => Effect.Effect<Caller, Unauthorized | typeof foreign | Unavailable>
    /** The same, or who the ticket in its address was given to; and how to ask again while one goes on looking. */
    readonly watcherOf: (
      request: Request
    ) => Effect.Effect<
      { readonly caller: Caller; readonly again: Effect.Effect<Caller, Unauthorized | Unavailable> },
      Unauthorized | typeof foreign | Unavailable
    >
    readonly issueTicket: (
      request: Request
    ) => Effect.Effect<{ readonly ticket: string; readonly until: number }, Unauthorized | typeof foreign | Unavailable>
    /** Who it is, and what the cookie is to hold. */
    readonly login: (
      login: Login
    ) => Effect.Effect<{ readonly caller: Caller; readonly sealed: string }, Unauthorized | Unavailable>
    /** By which the admin can log in once, within 15 minutes. For a terminal, never for a log. */
    readonly issueCode: Effect.Effect<Redacted.Redacted<string>>
  }
>()("troupe/inspect/Access") {
  static readonly layer = Layer.effect(
    Access,
    Effect.gen(function* () {
      const apps = yield* Apps
      const seal = Seal.make(yield* apps.keyFor("inspect cookie"))
      /** Until when each is good. Found by its hash table, which tells a guesser nothing: there are 256 bits to guess. */
      const codes = new Map<string, number>()

      const tickets = Seal.make(yield* apps.keyFor("inspect ticket"))
      const used = new Map<string, number>()

      /** A token; `null` is the admin, who has logged in. */
      const credentialOf = Effect.fnUntraced(function* (request: Request) {
        const bearer = /^bearer (.*)$/i.exec(request.headers["authorization"] ?? "")?.[1]
        if (bearer !== undefined) return bearer
        const cookie = request.cookies[cookieName]
        if (cookie === undefined) return yield* Effect.fail(noCaller)
        const sealed = seal.open(cookie, yield* Clock.currentTimeMillis)
        if (Option.isNone(sealed)) return yield* Effect.fail(noCaller)
        if (isChanging(request) && request.headers[csrfHeader] !== "1") return yield* Effect.fail(foreign)
        return sealed.value.token
      })

      const callerWith = Effect.fnUntraced(function* (credential: string | null) {
        if (credential === null) return { _tag: "Admin" } as const
        const caller = yield* apps.authenticate(Redacted.make(credential))
        return Option.isSome(caller) ? caller.value : yield* Effect.fail(noCaller)
      })

      const callerOf = (request: Request) => Effect.flatMap(credentialOf(request), callerWith)

      const issueTicket = Effect.fnUntraced(function* (request: Request) {
        const credential = yield* credentialOf(request)
        const caller = yield* callerWith(credential)
        const until = (yield* Clock.currentTimeMillis) + ticketLastsMillis
        return { ticket: tickets.close({ until, token: caller._tag === "Admin" ? null : credential }), until }
      })

      const useTicket = Effect.fnUntraced(function* (ticket: string) {
        const sealed = tickets.open(ticket, yield* Clock.currentTimeMillis)
        // Written in another way it would be the same ticket, and not remembered as that.
        const isAsGiven = Buffer.from(ticket, "base64url").toString("base64url") === ticket
        if (Option.isNone(sealed) || !isAsGiven || used.has(ticket)) return yield* Effect.fail(wrongTicket)
        used.set(ticket, sealed.value.until)
        const [oldest] = used.keys()
        if (used.size > mostTickets && oldest !== undefined) used.delete(oldest)
        return sealed.value.token
      })

      const watcherOf = Effect.fnUntraced(function* (request: Request) {
        const ticket = new URL(request.url, "http://troupe").searchParams.get("ticket")
        const credential = yield* ticket === null ? credentialOf(request) : useTicket(ticket)
        const again = callerWith(credential)
        return { caller: yield* again, again }
      })

      const login = Effect.fnUntraced(function* (login: Login) {
        const now = yield* Clock.currentTimeMillis
        const until = now + loginLastsMillis
        if ("code" in login) {
          const good = codes.get(login.code) ?? 0
          codes.delete(login.code)
          if (good <= now) return yield* Effect.fail(wrongCode)
          return { caller: { _tag: "Admin" } as const, sealed: seal.close({ until, token: null }) }
        }
        const caller = yield* apps.authenticate(Redacted.make(login.token))
        if (Option.isNone(caller)) return yield* Effect.fail(wrongToken)
        // The admin's own need not travel: the seal's key is made from it.
        const token = caller.value._tag === "Admin" ? null : login.token
        return { caller: caller.value, sealed: seal.close({ until, token }) }
      })

      const issueCode = Effect.map(Clock.currentTimeMillis, (now) => {
        const code = randomBytes(32).toString("base64url")
        codes.set(code, now + codeLastsMillis)
        const [oldest] = codes.keys()
        if (codes.size > mostCodes && oldest !== undefined) codes.delete(oldest)
        return Redacted.make(code)
      })

      return Access.of({ callerOf, watcherOf, issueTicket, login, issueCode })
    })
  )
}

const isChanging = ({ method }: Request) => method !== "GET" && method !== "HEAD"

/** Behind a proxy the browser's scheme is told by the proxy, or by the browser itself. */
export const isHttps = ({ headers }: Request): boolean =>
  headers["x-forwarded-proto"]?.split(",")[0]?.trim() === "https" || headers["origin"]?.startsWith("https://") === true

/** `null`: the browser is to forget it. */
export const withCookie = (
  response: HttpServerResponse.HttpServerResponse,
  request: Request,
  sealed: string | null
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setCookieUnsafe(response, cookieName, sealed ?? "", {
    httpOnly: true,
    sameSite: "strict",
    path: "/inspect/",
    secure: isHttps(request),
    maxAge: sealed === null ? 0 : loginLastsMillis
  })
