/**
 * Checks a request's `Host` and `Origin` against the names and the pages that are served.
 *
 * A page on the internet can point a name of its own at 127.0.0.1 and call a server there (DNS rebinding): its requests
 * carry that name in `Host`, or its own address in `Origin`, and are answered with 403 here.
 */
import type { Headers } from "effect/http"
import type { ProblemDetails } from "./contract/Problem.ts"

export interface OriginCheckOptions {
  /** Host names, with or without a port; `*` serves all, and an empty list is the names of the machine itself. */
  readonly allowedHosts: ReadonlyArray<string>
  /** Origins of pages on other hosts that may call; `*` serves all. */
  readonly allowedOrigins: ReadonlyArray<string>
}

export const loopbackNames: ReadonlyArray<string> = ["localhost", "127.0.0.1", "[::1]"]

/**
 * Kubernetes and load balancers call these by the address of the pod, which no setting can name. They say nothing that a
 * foreign page could use: `/metrics` takes the admin token, which a page does not have.
 */
const probes: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics"])

export interface OriginCheck {
  /** `undefined` where the request may pass. */
  readonly problem: (headers: Headers.Headers, path: string) => ProblemDetails | undefined
  /** The headers that let a page of an allowed origin on another host read the response. */
  readonly crossOrigin: (headers: Headers.Headers) => Readonly<Record<string, string>> | undefined
}

export const makeOriginCheck = ({ allowedHosts, allowedOrigins }: OriginCheckOptions): OriginCheck => {
  const names = allowedHosts.length === 0 ? loopbackNames : allowedHosts
  const hosts = new Set(names.map((host) => host.toLowerCase()))
  const origins = new Set(allowedOrigins.map((origin) => origin.toLowerCase().replace(/\/$/, "")))
  const serves = (host: string) => hosts.has("*") || hosts.has(host) || hosts.has(withoutPort(host))
  const listed = (origin: string) => origins.has("*") || origins.has(origin)
  return {
    problem: (headers, path) => {
      const host = (headers["host"] ?? "").toLowerCase()
      if (!serves(host) && !probes.has(path)) return forbiddenHost
      const origin = headers["origin"]?.toLowerCase()
      if (origin === undefined || listed(origin) || sameHost(origin, host)) return undefined
      return forbiddenOrigin
    },
    crossOrigin: (headers) => {
      const origin = headers["origin"]
      if (origin === undefined || !listed(origin.toLowerCase())) return undefined
      return {
        "access-control-allow-origin": origin,
        "access-control-expose-headers":
          "x-request-id, location, retry-after, ratelimit, ratelimit-policy, idempotent-replayed, x-troupe-late-answer",
        vary: "origin"
      }
    }
  }
}

/** The response headers to a browser that asks whether a page may call. */
export const preflightHeaders = {
  "access-control-allow-methods": "GET, POST, PATCH, DELETE",
  "access-control-allow-headers": "authorization, content-type, idempotency-key, last-event-id, x-request-id",
  "access-control-max-age": "600"
}

const withoutPort = (host: string) => host.replace(/:\d+$/, "")

const sameHost = (origin: string, host: string) => origin === `http://${host}` || origin === `https://${host}`

const forbiddenHost: ProblemDetails = {
  code: "forbidden_host",
  status: 403,
  detail:
    "This host name is not served here. Use the address that Troupe prints, or add the name to TROUPE_ALLOWED_HOSTS."
}

const forbiddenOrigin: ProblemDetails = {
  code: "forbidden_origin",
  status: 403,
  detail: "Pages of this origin may not call Troupe. Add the origin to TROUPE_ALLOWED_ORIGINS."
}
