/** The shutdown of the server waits for answers, and for nothing else. */
import { it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { once } from "node:events"
import { connect } from "node:net"
import { open } from "./harness.ts"

// The test clock does not advance, so no deadline can end the shutdown.
it.effect("a closing server does not wait for a connection that never sent a request", () =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const { base, call } = yield* open().pipe(Effect.provideService(Scope.Scope, scope))
    const socket = connect(Number(new URL(base).port), "127.0.0.1")
    yield* Effect.promise(() => once(socket, "connect"))
    const gone = once(socket, "close")
    // Connections are accepted in order, so with this answer the server has accepted the first one too.
    yield* call("/healthz")
    yield* Scope.close(scope, Exit.void)
    yield* Effect.promise(() => gone)
  })
)
