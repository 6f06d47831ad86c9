/** The shutdown of the server waits for answers, and for nothing else. */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Latch, Scope } from "effect"
import { once } from "node:events"
import { connect } from "node:net"
import { open } from "./harness.ts"
import { turn } from "./turnRequest.ts"
import { untilTrue } from "./untilTrue.ts"

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

it.effect("nor for a request that is still to be answered, once it is told to hurry", () =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const hurry = yield* Latch.make()
    const { call, script } = yield* open({ hurry: hurry.await }).pipe(Effect.provideService(Scope.Scope, scope))
    const unanswered = yield* Effect.forkChild(Effect.exit(call(turn, { body: { prompt: "wait for it: complete" } })))
    yield* untilTrue(() => script.submitted.length > 0)
    const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
    assert.isUndefined(closing.pollUnsafe())
    yield* hurry.open
    yield* Fiber.join(closing)
    yield* Fiber.join(unanswered)
  })
)
