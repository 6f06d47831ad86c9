/**
 * Reviews without a running session, which is a row here: a review needs no more of it and changes none of it.
 *
 * Real: the ledger file and HTTP. Scripted: the model behind HTTP, or the host. Time is `TestClock`'s; waits are for
 * writes of the ledger and for requests to the model.
 */
import { Effect, Layer, Redacted } from "effect"
import { Reviews } from "../../src/review/Reviews.ts"
import type { ReviewOptions } from "../../src/review/ReviewOptions.ts"
import type { SettledTurnOf } from "../../src/review/Reviews.ts"
import { RuntimeSettings } from "../../src/runtime/RuntimeSettings.ts"
import type { ReviewRequest } from "../../src/review/ReviewRequest.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import type { SessionRecord } from "../../src/domain/Session.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import type { AgentSpec } from "../../src/domain/Settings.ts"
import type { Message } from "../../src/domain/Turn.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { LedgerWrites, withNotices } from "../ledger/LedgerWrites.ts"
import { noProcesses } from "../services/harness.ts"
import { untilNoticed } from "../until.ts"
import { serve } from "../fixtures/models/responses.ts"
import type { Script } from "../fixtures/models/responses.ts"
import { id, opened, scratchFile, session as sample, turn as turnSample } from "../ledger/samples.ts"

export const key = Redacted.make("sk-a-secret-of-the-review")
export const messages: ReadonlyArray<Message> = [
  { role: "user", content: "I prefer tabs." },
  { role: "assistant", content: "Noted." }
]
export const session = (fields: Partial<SessionRecord> = {}) => sample({ agent: "codex", ...fields })

export const good: SettledTurnOf = {
  index: 1,
  kind: "prompt",
  status: "completed",
  interrupted: false,
  finalText: "Noted.",
  toolIterations: 0
}
/** One turn is enough for a memory review. */
export const eachTurn = { intervals: { memory: 1, skills: 0 } }

/** One `Reviews` on a ledger file. */
export const reviewsOn = (filename: string, options: ReviewOptions, agents: Readonly<Record<string, AgentSpec>> = {}) =>
  Reviews.layer(options, {}).pipe(
    Layer.provideMerge(withNotices(SqliteLedger.layer(filename))),
    Layer.provide(
      Layer.succeed(
        RuntimeSettings,
        RuntimeSettings.of({ dataDir: ":memory:", limits: defaultLimits, agents, defaultAgent: null, run: {} })
      )
    ),
    Layer.provide(noProcesses),
    // Each is a Troupe of its own, also in one test.
    Layer.fresh
  )

export const withReviews = <A, E>(
  options: ReviewOptions,
  test: Effect.Effect<A, E, Reviews | Ledger | LedgerWrites>,
  agents: Readonly<Record<string, AgentSpec>> = {}
) =>
  Effect.gen(function* () {
    const filename = yield* scratchFile
    return yield* Effect.andThen(
      Ledger.use((ledger) => ledger.write([opened({ agent: "codex" })])),
      test
    ).pipe(Effect.provide(reviewsOn(filename, options, agents)))
  }).pipe(Effect.scoped)

/** A review's account at a model that follows the script. */
export const account = (script: Script) =>
  Effect.map(serve(script), ({ baseUrl, observe, requests }) => ({
    requests,
    options: { ...eachTurn, apiKey: key, baseUrl },
    untilRequested: (count: number) =>
      untilNoticed(
        () => `request ${count} to the model`,
        Effect.sync(() => requests.length >= count),
        [observe]
      )
  }))

/** Settles a turn of the session, with its row, as the actor does. */
export const settleTurn = (fields: Partial<SettledTurnOf> = {}, of: SessionRecord = session()) =>
  Effect.gen(function* () {
    const turn = { ...good, ...fields }
    const { index, interrupted, kind, status, toolIterations } = turn
    const record = { ...turnSample(), session: of.id, index, interrupted, kind, status, toolIterations, endedAt: 1 }
    yield* Ledger.use((ledger) => ledger.write([{ _tag: "TurnInserted", record }]))
    const reviews = yield* Reviews
    yield* reviews.turnSettled({ ...of, turnCount: index }, turn, Effect.succeed(messages))
  })

/** The newest review of the session, once it has ended. */
export const ended = (of: SessionId = id) =>
  Effect.gen(function* () {
    const reviews = yield* Reviews
    const writes = yield* LedgerWrites
    const newest = Effect.map(reviews.of(of), ([review]) => review)
    const hasEnded = Effect.map(newest, (review) => review !== undefined && review.ending !== null)
    yield* untilNoticed(() => `the end of the review of ${of}`, hasEnded, [writes.observe])
    return (yield* newest)!
  })

/** A host that notes what it was called with. */
export const host = (review: Effect.Effect<unknown, unknown> = Effect.void) => {
  const called: Array<ReviewRequest> = []
  return {
    called,
    onReview: (request: ReviewRequest) =>
      Effect.andThen(
        Effect.sync(() => called.push(request)),
        review
      )
  }
}
