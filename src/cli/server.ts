/** A running server: the flags that name it, and a client whose failures explain an unreachable server. */
import { Config, Effect } from "effect"
import type { Option, Redacted } from "effect"
import { Flag } from "effect/cli"
import { FetchHttpClient } from "effect/http"
import * as Client from "../http/Client.ts"
import { BadUsage, CommandFailed } from "./failures.ts"

export const serverFlags = {
  url: Flag.String("url").pipe(
    Flag.withDescription("Where the server is; else http://127.0.0.1:8420 (TROUPE_URL)"),
    Flag.withFallbackConfig(Config.String("TROUPE_URL")),
    Flag.withDefault("http://127.0.0.1:8420")
  ),
  token: Flag.Redacted("token").pipe(
    Flag.withDescription("An app's token, or the admin's (TROUPE_TOKEN, which ps does not show)"),
    Flag.withFallbackConfig(Config.Redacted("TROUPE_TOKEN")),
    Flag.optional
  )
}

export interface Server {
  readonly url: string
  readonly token: Option.Option<Redacted.Redacted<string>>
}

/** Runs `use` with a client; a server that does not answer becomes a `CommandFailed` that says what to do. */
export const withClient = <A, E, R>({ token, url }: Server, use: (client: Client.Client) => Effect.Effect<A, E, R>) =>
  Effect.fromOption(token).pipe(
    Effect.mapError(() => new BadUsage({ problem: "No token was given: set TROUPE_TOKEN, or add --token." })),
    Effect.flatMap((token) => Client.make({ baseUrl: url.replace(/\/$/, ""), token })),
    Effect.flatMap(use),
    Effect.mapError(explained(url)),
    Effect.provide(FetchHttpClient.layer)
  )

/** An error of the client, with the transport errors of an unreachable server replaced by a `CommandFailed`. */
export const explained =
  (url: string) =>
  <E>(error: E): E | CommandFailed => {
    if (!isUnreachable(error)) return error
    const problem = `No Troupe answers at ${url} (${reasonOf(error)}). Start one with troupe serve, or name another with --url.`
    return new CommandFailed({ code: "unreachable", problem })
  }

const isUnreachable = (error: unknown): error is { readonly reason: { readonly cause?: unknown } } =>
  typeof error === "object" &&
  error !== null &&
  "reason" in error &&
  typeof error.reason === "object" &&
  error.reason !== null &&
  "_tag" in error.reason &&
  error.reason._tag === "TransportError"

/** The reason is the innermost cause of `fetch failed`. */
const reasonOf = ({ reason }: { readonly reason: { readonly cause?: unknown } }): string => {
  let cause: unknown = reason.cause
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause
  return cause instanceof Error ? cause.message : "no connection"
}
