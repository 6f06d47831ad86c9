/**
 * A running server: the flags that name it, how it is found without them, and a client whose failures explain a server that
 * does not answer, or is none.
 */
import { Config, Effect, Option, Redacted } from "effect"
import { Flag } from "effect/cli"
import { FetchHttpClient } from "effect/http"
import * as Client from "../http/Client.ts"
import { unreachableReason } from "../http/unreachable.ts"
import { problemFrom } from "../inspect/client/api.ts"
import type { Problem } from "../inspect/client/api.ts"
import { BadUsage, CommandFailed } from "./failures.ts"
import { configuration, dataDirFlags } from "./options.ts"
import * as RunningServer from "./runningServer.ts"

export const serverFlags = {
  url: Flag.String("url").pipe(
    Flag.withDescription("Where the server is; else the one that runs on the data dir (TROUPE_URL)"),
    Flag.withFallbackConfig(Config.String("TROUPE_URL")),
    Flag.optional
  ),
  token: Flag.Redacted("token").pipe(
    Flag.withDescription(
      "An app's token, or the admin's; else the admin's of the data dir (TROUPE_TOKEN, which ps does not show)"
    ),
    Flag.withFallbackConfig(Config.Redacted("TROUPE_TOKEN")),
    Flag.optional
  ),
  ...dataDirFlags
}

/** As the flags have it. */
export interface ServerFlags {
  readonly url: Option.Option<string>
  readonly token: Option.Option<Redacted.Redacted<string>>
  readonly dataDir: Option.Option<string>
  readonly config: Option.Option<string>
}

export interface Server {
  readonly url: string
  readonly token: Redacted.Redacted<string>
}

/** The server that is named, or that runs on the data dir, and the token for it. */
export const findServer = Effect.fnUntraced(function* ({ url, token, ...dirs }: ServerFlags) {
  const named = yield* Option.match(url, { onNone: () => Effect.succeed(null), onSome: addressOf })
  if (named !== null && Option.isSome(token)) return { url: named, token: token.value }
  const local = yield* localServer(dirs)
  const { dataDir, running } = local
  if (named !== null && (running === null || !isSame(named, running.url))) {
    const problem = `No token was given for ${named}: set TROUPE_TOKEN, or add --token.`
    return yield* new BadUsage({ problem })
  }
  if (running === null) {
    const problem = `No Troupe runs on the data dir ${dataDir}. Start one with troupe serve, or name one by --url and TROUPE_TOKEN.`
    return yield* new CommandFailed({ code: "no_server", problem })
  }
  return { url: running.url, token: yield* tokenFor(local, token) }
})

/** The server that runs on the data dir; `null`: none does. */
export const localServer = Effect.fnUntraced(function* (dirs: Pick<ServerFlags, "config" | "dataDir">) {
  const { adminToken, settings } = yield* configuration(dirs)
  const { dataDir } = settings
  return { dataDir, adminToken, running: dataDir === ":memory:" ? null : RunningServer.find(dataDir) }
})

type LocalServer = Effect.Success<ReturnType<typeof localServer>>

export const tokenFor = Effect.fnUntraced(function* (
  { adminToken, dataDir }: LocalServer,
  given: ServerFlags["token"] = Option.none()
) {
  const token = Option.firstSomeOf([given, adminToken, RunningServer.storedAdminToken(dataDir)])
  if (Option.isSome(token)) return token.value
  const problem = `The data dir ${dataDir} has no token of the admin: set TROUPE_ADMIN_TOKEN as for the server, or TROUPE_TOKEN.`
  return yield* new BadUsage({ problem })
})

/** Without a slash at its end. */
const addressOf = Effect.fnUntraced(function* (url: string) {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url.replace(/\/+$/, "")
  return yield* new BadUsage({ problem: `--url is "${url}": it takes an address such as http://127.0.0.1:8420.` })
})

const isSame = (one: string, other: string) => originOf(one) === originOf(other)
const originOf = (url: string) => new URL(url.replace("//localhost", "//127.0.0.1")).origin

/** Runs `use` with a client of the server that the flags lead to. */
export const withClient = <A, E, R>(flags: ServerFlags, use: (client: Client.Client) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(findServer(flags), (server) => withClientOf(server, use))

/** A server that does not answer, or is no Troupe, becomes a `CommandFailed` that says what to do. */
export const withClientOf = <A, E, R>({ token, url }: Server, use: (client: Client.Client) => Effect.Effect<A, E, R>) =>
  Client.make({ baseUrl: url, token }).pipe(
    Effect.flatMap(use),
    Effect.mapError(explained(url)),
    Effect.provide(FetchHttpClient.layer)
  )

/** An error of the client, with those that are no answer of a Troupe replaced by a `CommandFailed`. */
export const explained =
  (url: string) =>
  <E>(error: E): E | CommandFailed => {
    if (tagOf(error) === "SchemaError") return notTroupe(url, "its answer has another form")
    const why = unreachableReason(error)
    if (why !== null) return unreachable(url, why)
    return isOfClient(error) ? notTroupe(url, answerOf(error.reason)) : error
  }

export const unreachable = (url: string, why?: string) =>
  new CommandFailed({
    code: "unreachable",
    problem: `No Troupe answers at ${url}${why === undefined ? "" : ` (${why})`}. Start one with troupe serve, or name another with --url.`
  })

export const notTroupe = (url: string, answer: string) =>
  new CommandFailed({
    code: "not_troupe",
    problem: `What answers at ${url} is no Troupe, or one of another version (${answer}). Name the server by --url or TROUPE_URL.`
  })

/** Of the dashboard's API, which `troupe top` and `troupe inspect` use. */
export const asked = <A>(url: string, request: () => Promise<A>) =>
  Effect.tryPromise({ try: request, catch: (cause) => problemFailed(url, problemFrom(cause)) })

export const problemFailed = (url: string, { detail, error, status }: Problem): CommandFailed => {
  if (status === 0) return unreachable(url)
  if (error === "unexpected_answer") return notTroupe(url, `it answered ${status}`)
  return new CommandFailed({ code: error, problem: detail })
}

export const withToken =
  (token: Redacted.Redacted<string>): typeof fetch =>
  (url, init) =>
    fetch(url, { ...init, headers: { ...(init?.headers as object), authorization: `Bearer ${Redacted.value(token)}` } })

interface Reason {
  readonly response?: { readonly status: number; readonly headers: Readonly<Record<string, string>> }
}

const tagOf = (error: unknown) =>
  typeof error === "object" && error !== null && "_tag" in error ? error._tag : undefined

const isOfClient = (error: unknown): error is { readonly reason: Reason } =>
  tagOf(error) === "HttpClientError" && typeof (error as { readonly reason?: unknown }).reason === "object"

const answerOf = ({ response }: Reason): string =>
  response === undefined
    ? "its answer has another form"
    : `it answered ${response.status}, ${response.headers["content-type"] ?? "without a content type"}`
