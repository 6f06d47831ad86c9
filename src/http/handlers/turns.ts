/** Turns over HTTP: the same turn whole or streamed, once for a key, and read again afterwards. */
import { Deferred, Effect, Exit, Option, Stream } from "effect"
import type { Headers } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Idempotency } from "../../services/Idempotency.ts"
import type { StoredAnswer } from "../../services/Idempotency.ts"
import { Sessions } from "../../services/Sessions.ts"
import type { Turning } from "../../services/Sessions.ts"
import { FileId } from "../../domain/Ids.ts"
import type { TurnResult } from "../../domain/Turn.ts"
import { outcomeOf, refusalIn } from "../../domain/TurnOutcome.ts"
import { Api } from "../Api.ts"
import { CurrentCaller } from "../contract/Auth.ts"
import { defaultLimit } from "../contract/bodies.ts"
import type { ProblemDetails } from "../contract/Problem.ts"
import { isClientGone } from "../problemOfCause.ts"
import { answer, keyOf, idempotent } from "../idempotent.ts"
import { failWith, orProblem } from "../problems.ts"
import { eventText, lastText, Streams } from "../Streams.ts"
import { statusOf, storedTurnBody, turnBody } from "../turnBody.ts"
import { appNameOf } from "../dto.ts"

/** A second caller with the same key waits for the first one's turn; its headers do not. */
const headersWithin = "1 second"
const cancelWithin = "10 seconds"

/** Turns asked of the ledger at once, and how much text makes a page full: their events come with them. */
const turnsAtOnce = 10
const pageChars = 4 * 1024 * 1024

export const layer = HttpApiBuilder.group(
  Api,
  "turns",
  Effect.fnUntraced(function* (handlers) {
    const idempotency = yield* Idempotency
    const sessions = yield* Sessions
    const streams = yield* Streams

    return handlers.handleAll({
      submit: Effect.fnUntraced(function* ({ params, payload, request }) {
        const caller = yield* CurrentCaller
        const streamed = wantsEvents(request.headers)
        const accepted = yield* Deferred.make<Turning>()
        const submitted = sessions.submit(caller, params.id, {
          prompt: payload.prompt,
          files: payload.files?.map((id) => FileId.make(id)),
          timeoutMillis: payload.timeoutS === undefined ? undefined : payload.timeoutS * 1000,
          queue: payload.queue
        })
        const work = Effect.gen(function* () {
          const turning = yield* submitted
          yield* Deferred.succeed(accepted, turning)
          if (payload.wait === false && !streamed) return acceptedAnswer(turning)
          return yield* ended(yield* turning.result)
        })
        const whole = idempotent(idempotency, appNameOf(caller), request, work)

        // The client may leave before its turn is accepted, and is then still to be obeyed.
        const onGone =
          payload.cancelOnDisconnect === true
            ? Deferred.await(accepted).pipe(
                Effect.flatMap(({ interrupt }) => Effect.ignore(interrupt)),
                Effect.timeoutOption(cancelWithin),
                Effect.asVoid
              )
            : Effect.void

        if (!streamed) {
          const told = Effect.onExit(whole, (exit) =>
            Exit.isFailure(exit) && isClientGone(exit.cause) ? onGone : Effect.void
          )
          return answer(yield* orProblem(told))
        }
        if (keyOf(request.headers) === undefined) {
          const turning = yield* orProblem(submitted)
          yield* Deferred.succeed(accepted, turning)
          return yield* streams.respond(request, textsOf(turning), { onClientGone: onGone })
        }
        // Whichever comes first: the turn, where this is the request that starts it, or the answer that another got.
        const texts = Effect.raceFirst(
          Effect.map(Deferred.await(accepted), textsOf),
          Effect.map(whole, ({ body }) => Stream.succeed(lastText("result", body)))
        )
        const soon = yield* orProblem(Effect.timeoutOption(texts, headersWithin))
        const stream = Option.getOrElse(soon, () => Stream.unwrap(texts))
        return yield* streams.respond(request, stream, { onClientGone: onGone })
      }),

      list: Effect.fnUntraced(function* ({ params, query }) {
        const caller = yield* CurrentCaller
        const limit = query.limit ?? defaultLimit
        let after = query.cursor === undefined ? 0 : indexOf(query.cursor)
        if (Number.isNaN(after)) return yield* failWith(badCursor)
        const { turnCount } = yield* orProblem(sessions.get(caller, params.id))
        const turns: Array<string> = []
        let chars = 0
        let more = true
        while (more && turns.length < limit && chars < pageChars) {
          const asked = Math.min(turnsAtOnce, limit - turns.length)
          const found = yield* orProblem(sessions.turns(caller, params.id, { after, limit: asked }))
          for (const result of found) {
            const text = JSON.stringify(storedTurnBody(result))
            turns.push(text)
            chars += text.length
            after = result.turn.index
          }
          more = found.length === asked
        }
        const next = more && after < turnCount ? JSON.stringify(cursorOf(after)) : "null"
        return answer({
          status: 200,
          body: `{"ok":true,"count":${turnCount},"turns":[${turns.join(",")}],"next_cursor":${next}}`
        })
      }),

      get: Effect.fnUntraced(function* ({ params }) {
        const result = yield* orProblem(sessions.turn(yield* CurrentCaller, params.id, params.n))
        return answer({ status: 200, body: JSON.stringify(storedTurnBody(result)) })
      }),

      messages: Effect.fnUntraced(function* ({ params, query }) {
        const after = query.cursor === undefined ? 0 : indexOf(query.cursor)
        if (Number.isNaN(after)) return yield* failWith(badCursor)
        const asked = { after, limit: query.limit ?? defaultLimit }
        const { messages, next } = yield* orProblem(sessions.messages(yield* CurrentCaller, params.id, asked))
        return { ok: true, messages, nextCursor: next === null ? null : cursorOf(next) } as const
      }),

      compact: Effect.fnUntraced(function* ({ params }) {
        const turning = yield* orProblem(sessions.compact(yield* CurrentCaller, params.id))
        return answer(yield* orProblem(Effect.flatMap(turning.result, ended)))
      })
    })
  })
)

const wantsEvents = (headers: Headers.Headers) => headers["accept"]?.includes("text/event-stream") === true

const acceptedAnswer = ({ index, session }: Turning): StoredAnswer => ({
  status: 202,
  body: JSON.stringify({ ok: true, session_id: session, turn_index: index })
})

const ended = (result: TurnResult) => {
  const refusal = refusalIn(result)
  return refusal === undefined
    ? Effect.succeed({ status: statusOf(result.turn), body: JSON.stringify(turnBody(outcomeOf(result))) })
    : Effect.fail(refusal)
}

/** Each event as it is stored, then what came of it all. */
const textsOf = (turning: Turning) =>
  Stream.concat(
    Stream.map(turning.events, eventText),
    Stream.fromEffect(
      turning.result.pipe(
        Effect.flatMap(ended),
        Effect.map(({ body }) => lastText("result", body))
      )
    )
  )

/** Opaque to a client, so that it may become something else. */
const cursorOf = (index: number) => Buffer.from(`t${index}`).toString("base64url")

const indexOf = (cursor: string) => {
  const text = Buffer.from(cursor, "base64url").toString()
  return /^t\d{1,15}$/.test(text) ? Number(text.slice(1)) : Number.NaN
}

const badCursor = {
  code: "invalid_request",
  status: 400,
  detail: "cursor must be the `next_cursor` of an earlier page, as it came."
} as const satisfies ProblemDetails
