/** The typed client with a server of a later version. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { FetchHttpClient } from "effect/http"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as Client from "../../src/http/Client.ts"
import { appToken } from "./callers.ts"

it.live("the typed client takes answers that have gained keys", () =>
  Effect.gen(function* () {
    const answer = {
      ok: true,
      memories: [{ memory_id: "m", text: "x", created_at: 1, updated_at: 1, later: { a: 1 } }],
      count: 1,
      later: true
    }
    const server = createServer((_request, response) => {
      response.setHeader("content-type", "application/json")
      response.end(JSON.stringify(answer))
    })
    yield* Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void)))
    yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
    const { port } = server.address() as AddressInfo
    const client = yield* Client.make({ baseUrl: `http://127.0.0.1:${port}`, token: appToken })
    const { count, memories } = yield* client.reviews.memories()
    assert.deepStrictEqual([count, memories], [
      1,
      [{ memoryId: "m", text: "x", createdAt: 1_000, updatedAt: 1_000 }]
    ] as unknown)
  }).pipe(Effect.provide(FetchHttpClient.layer), Effect.scoped)
)
