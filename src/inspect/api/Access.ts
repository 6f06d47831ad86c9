/**
 * Authenticates the dashboard's requests: by a bearer token as everywhere, or by the cookie that a login sets, which
 * holds the same credential encrypted.
 *
 * No state of a login is kept, and a token is looked up at each request, so a revoked one is refused at once. A browser
 * sends the cookie with requests of foreign pages too, so a request that changes something must also carry a header
 * that no foreign page can send. A tool that can only be given an address gets a ticket: the same credential encrypted,
 * valid for one connection within a minute, and for reading only.
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
import * as CredentialCipher from "../CredentialCipher.ts"

export const cookieName = "troupe_inspect"
export const csrfHeader = "x-troupe-inspect"

const loginLastsMillis = 12 * 3_600_000
const codeLastsMillis = 15 * 60_000
/** Login links that are not used yet; past this the oldest is dropped. */
const mostCodes = 16
const ticketLastsMillis = 60_000
/** Used tickets are remembered while they would still be valid; past this the oldest is dropped. */
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
  "This link was used before, or is older than 15 minutes. Log in with a token; `troupe inspect` prints a new one."
)
const wrongTicket = unauthorized(
  "This ticket was used before, or is older than a minute. `POST /inspect/api/ticket` gives another."
)

const missingHeader = {
  code: "csrf",
  status: 403,
  detail: `With the cookie, a POST must carry the header \`${csrfHeader}: 1\`.`
} as const satisfies ProblemDetails

type Request = HttpServerRequest.HttpServerRequest

export class Access extends Context.Service<
  Access,
  {
    /** Fails where the request has no valid credential, or where another page may have made it. */
    readonly callerOf: (request: Request) => Effect.Effect<Caller, Unauthorized | typeof missingHeader | Unavailable>
    /** The same, or the caller of the ticket in the address; `again` looks the credential up anew, for a long connection. */
    readonly watcherOf: (
      request: Request
    ) => Effect.Effect<
      { readonly caller: Caller; readonly again: Effect.Effect<Caller, Unauthorized | Unavailable> },
      Unauthorized | typeof missingHeader | Unavailable
    >
    readonly issueTicket: (
      request: Request
    ) => Effect.Effect<
      { readonly ticket: string; readonly until: number },
      Unauthorized | typeof missingHeader | Unavailable
    >
    /** The caller, and the value of the cookie. */
    readonly login: (
      login: Login
    ) => Effect.Effect<{ readonly caller: Caller; readonly cookie: string }, Unauthorized | Unavailable>
    /** With it the admin can log in once, within 15 minutes. For a terminal, never for a log. */
    readonly issueCode: Effect.Effect<{ readonly code: Redacted.Redacted<string>; readonly until: number }>
  }
>()("troupe/inspect/Access") {
  static readonly layer = Layer.effect(
    Access,
    Effect.gen(function* () {
      const apps = yield* Apps
      const cookies = CredentialCipher.make(yield* apps.keyFor("inspect cookie"))
      /** Until when each is valid. Comparing takes no constant time, which helps no guesser: a code has 256 random bits. */
      const codes = new Map<string, number>()

      const tickets = CredentialCipher.make(yield* apps.keyFor("inspect ticket"))
      const usedTickets = new Map<string, number>()

      /** A token; `null`: the admin has logged in. */
      const credentialOf = Effect.fnUntraced(function* (request: Request) {
        const bearer = /^bearer (.*)$/i.exec(request.headers["authorization"] ?? "")?.[1]
        if (bearer !== undefined) return bearer
        const cookie = request.cookies[cookieName]
        if (cookie === undefined) return yield* Effect.fail(noCaller)
        const credential = cookies.decrypt(cookie, yield* Clock.currentTimeMillis)
        if (Option.isNone(credential)) return yield* Effect.fail(noCaller)
        if (isChanging(request) && request.headers[csrfHeader] !== "1") return yield* Effect.fail(missingHeader)
        return credential.value.token
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
        return { ticket: tickets.encrypt({ until, token: caller._tag === "Admin" ? null : credential }), until }
      })

      const useTicket = Effect.fnUntraced(function* (ticket: string) {
        const credential = tickets.decrypt(ticket, yield* Clock.currentTimeMillis)
        // Base64 that is written in another way decodes to the same ticket, and would not be found among the used ones.
        const isAsIssued = Buffer.from(ticket, "base64url").toString("base64url") === ticket
        if (Option.isNone(credential) || !isAsIssued || usedTickets.has(ticket)) return yield* Effect.fail(wrongTicket)
        usedTickets.set(ticket, credential.value.until)
        const [oldest] = usedTickets.keys()
        if (usedTickets.size > mostTickets && oldest !== undefined) usedTickets.delete(oldest)
        return credential.value.token
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
          const validUntil = codes.get(login.code) ?? 0
          codes.delete(login.code)
          if (validUntil <= now) return yield* Effect.fail(wrongCode)
          return { caller: { _tag: "Admin" } as const, cookie: cookies.encrypt({ until, token: null }) }
        }
        const caller = yield* apps.authenticate(Redacted.make(login.token))
        if (Option.isNone(caller)) return yield* Effect.fail(wrongToken)
        // The admin's token need not travel: the cipher's key is derived from it.
        const token = caller.value._tag === "Admin" ? null : login.token
        return { caller: caller.value, cookie: cookies.encrypt({ until, token }) }
      })

      const issueCode = Effect.map(Clock.currentTimeMillis, (now) => {
        const code = randomBytes(32).toString("base64url")
        codes.set(code, now + codeLastsMillis)
        const [oldest] = codes.keys()
        if (codes.size > mostCodes && oldest !== undefined) codes.delete(oldest)
        return { code: Redacted.make(code), until: now + codeLastsMillis }
      })

      return Access.of({ callerOf, watcherOf, issueTicket, login, issueCode })
    })
  )
}

const isChanging = ({ method }: Request) => method !== "GET" && method !== "HEAD"

/** Behind a proxy the scheme of the browser is in a header, of the proxy or of the browser itself. */
export const isHttps = ({ headers }: Request): boolean =>
  headers["x-forwarded-proto"]?.split(",")[0]?.trim() === "https" || headers["origin"]?.startsWith("https://") === true

/** `cookie` `null`: the browser deletes it. */
export const withCookie = (
  response: HttpServerResponse.HttpServerResponse,
  request: Request,
  cookie: string | null
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setCookieUnsafe(response, cookieName, cookie ?? "", {
    httpOnly: true,
    sameSite: "strict",
    path: "/inspect/",
    secure: isHttps(request),
    maxAge: cookie === null ? 0 : loginLastsMillis
  })
