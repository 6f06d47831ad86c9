/**
 * `/mcp`: the same server over Streamable HTTP, for the app whose token came with the request. Each request is answered for
 * itself, by the revision of the protocol that it names; nothing is kept between two of them.
 */
import type { McpRequestContext } from "@modelcontextprotocol/server"
import { Effect } from "effect"
import { route, answerWith } from "../route.ts"
import { loadSdk } from "./sdk.ts"
import { makeServer } from "./server.ts"
import type { Backend } from "../../backend/Backend.ts"
import { TroupeError } from "../../backend/TroupeError.ts"
import { defaultRetrySeconds } from "../../http/contract/Problem.ts"
import type { ProblemDetails } from "../../http/contract/Problem.ts"

/** What the SDK hands on to the server of a request. */
interface Known {
  readonly backend: Backend
}

/** Set below, for every request. */
const knownOf = (authInfo: McpRequestContext["authInfo"]) => authInfo!.extra as unknown as Known

type Handler = Awaited<ReturnType<typeof makeHandler>>

const makeHandler = async (maxBodyBytes: number) => {
  const sdk = await loadSdk()
  return sdk.createMcpHandler(({ authInfo }) => makeServer(sdk, knownOf(authInfo).backend), {
    maxRequestBodySize: maxBodyBytes
  })
}

/** The body was measured before it came here. */
const maxBodyBytes = 64 * 1024 * 1024

/** Of a request that did not come as far as the SDK, as the SDK refuses those that did: in the protocol's shape, with HTTP's status. */
const refusalResponse = ({ code, detail, retryAfterSeconds, status }: ProblemDetails): Response =>
  Response.json(
    {
      jsonrpc: "2.0",
      error: { code: status === 400 ? invalidRequest : serverError, message: detail, data: { code } },
      id: null
    },
    {
      status,
      headers:
        status === 401
          ? { "www-authenticate": "Bearer" }
          : status === 503
            ? { "retry-after": String(retryAfterSeconds ?? defaultRetrySeconds) }
            : {}
    }
  )

/** As JSON-RPC has them: a request that is none, and an error of the server's own. */
const invalidRequest = -32600
const serverError = -32000

export const layer = route(
  "*",
  "/mcp",
  Effect.sync(() => {
    // Loaded with the first request: most servers have none.
    let handler: Promise<Handler> | undefined
    return (arrival) =>
      Effect.flatMap(
        Effect.tryPromise({
          try: () => (handler ??= makeHandler(maxBodyBytes)),
          catch: (cause) => {
            handler = undefined
            const message = cause instanceof TroupeError ? cause.message : String(cause)
            return { code: "not_supported", status: 422, detail: message } as const
          }
        }),
        ({ fetch }) =>
          answerWith(arrival, (request) => {
            const known: Known = { backend: arrival.backend }
            // The token was checked already, and tools have no use for it.
            const authInfo = {
              token: "",
              clientId: "troupe",
              scopes: [],
              extra: known as unknown as Record<string, unknown>
            }
            return fetch(request, { authInfo })
          })
      )
  }),
  refusalResponse
)
