/** The end of the server: it waits for answers, and for nothing else. */
import { it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { once } from "node:events"
import { connect } from "node:net"
import { open } from "./harness.ts"

// The clock stands still here, so no deadline helps the server out.
it.effect("does not wait for a connection that no request ever came by", () =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const { base, call } = yield* open().pipe(Effect.provideService(Scope.Scope, scope))
    const socket = connect(Number(new URL(base).port), "127.0.0.1")
    yield* Effect.promise(() => once(socket, "connect"))
    const gone = once(socket, "close")
    // Connections are taken in their order, so by this answer the server has taken that one too.
    yield* call("/healthz")
    yield* Scope.close(scope, Exit.void)
    yield* Effect.promise(() => gone)
  })
)
