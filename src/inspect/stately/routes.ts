/**
 * `/inspect/stately`: inspection in Stately's protocol over a WebSocket; and `POST ticket`, for tools that can only be
 * given an address: an address contains a ticket and never a token.
 */
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { answeringRefusals } from "../../http/problems.ts"
import { Streams } from "../../http/Streams.ts"
import { Access, isHttps } from "../api/Access.ts"
import { post, queryOf, routes } from "../api/route.ts"
import type { Ticket } from "../contract.ts"
import { Watchers } from "./Watchers.ts"

const path = "/inspect/stately"

const socket = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const access = yield* Access
    const watchers = yield* Watchers
    const { closing } = yield* Streams
    yield* router.add("GET", path, (request) =>
      Effect.gen(function* () {
        const { again, caller } = yield* access.watcherOf(request)
        yield* watchers.watch(request, { caller, again, closing, session: queryOf(request).get("session") })
        return HttpServerResponse.empty()
      }).pipe(answeringRefusals)
    )
  })
)

const ticket = routes(
  Effect.map(Access, (access) => [
    post(
      "/ticket",
      Effect.fnUntraced(function* ({ request }) {
        const { ticket, until } = yield* access.issueTicket(request)
        const scheme = isHttps(request) ? "wss" : "ws"
        return {
          ok: true,
          url: `${scheme}://${request.headers["host"] ?? "127.0.0.1"}${path}?ticket=${ticket}`,
          expires_at: until / 1000
        } satisfies Ticket
      })
    )
  ])
)

export const layer = Layer.merge(socket, ticket)
