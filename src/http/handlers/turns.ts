/** Turns over HTTP: submitted and answered whole or as a stream, run once for a key, and read again afterwards. */
import { Deferred, Effect, Option, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import type { Headers, HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Idempotency } from "../../services/Idempotency.ts"
import type { KeyedRequest, StoredAnswer } from "../../services/Idempotency.ts"
import { Operator } from "../../services/Operator.ts"
import { Sessions } from "../../services/Sessions.ts"
import type { Turning } from "../../services/Sessions.ts"
import { FileId } from "../../domain/Ids.ts"
import type { TurnResult, TurnSettings } from "../../domain/Turn.ts"
import { outcomeOf, refusalIn } from "../../domain/TurnOutcome.ts"
import { Api } from "../Api.ts"
import { CurrentCaller } from "../contract/Auth.ts"
import { appOf } from "../currentApp.ts"
import { defaultLimit } from "../contract/bodies.ts"
import type { ProblemDetails } from "../contract/Problem.ts"
import type { AcceptedTurn, SubmitTurn } from "../contract/turns.ts"
import { responseOf, keyOf, idempotent, replayedHeader } from "../idempotent.ts"
import { failWith, orProblem } from "../problems.ts"
import { turnPlaceHeader } from "../contract/turns.ts"
import { eventText, lastText, Streams } from "../Streams.ts"
import { statusOf, storedTurnBody, turnBody } from "../turnBody.ts"

/** A second request with the same key waits for the first one's turn; its headers are sent after this. */
const headersWithin = "1 second"
const cancelWithin = "10 seconds"

/** Turns that are read from the ledger at once, and the length of a full page: a turn comes with all its events. */
const turnsAtOnce = 10
const pageChars = 4 * 1024 * 1024

export const layer = HttpApiBuilder.group(
  Api,
  "turns",
  Effect.fnUntraced(function* (handlers) {
    const idempotency = yield* Idempotency
    const sessions = yield* Sessions
    const streams = yield* Streams
    const { settings } = yield* Operator
    const ended = answerOf(settings.limits.maxProcesses)
    const texts = textsOf(ended)

    /** One turn, answered whole or as a stream. */
    const answered = Effect.fnUntraced(function* ({ params, payload, request }: Submission, streamed: boolean) {
      const caller = yield* CurrentCaller
      const accepted = Deferred.makeUnsafe<Turning>()
      const isAnsweredAtOnce = payload.wait === false && !streamed
      let isReplay = false
      const noteTurn = (turning: Turning) => {
        if (turning.isKnown) isReplay = true
        else Deferred.doneUnsafe(accepted, Effect.succeed(turning))
        return turning
      }
      const submit = (keyed: KeyedRequest | undefined) =>
        sessions
          .submit(caller, params.id, {
            prompt: payload.prompt,
            messages: payload.messages,
            onlyFresh: true,
            settings: settingsOf(payload),
            files: payload.files?.map((id) => FileId.make(id)),
            timeoutMillis: payload.timeoutS === undefined ? undefined : payload.timeoutS * 1000,
            queue: payload.queue,
            submission: keyed === undefined ? undefined : { id: keyed.key, fingerprint: keyed.fingerprint }
          })
          .pipe(Effect.map(noteTurn))
      let accepting: Accepted | undefined
      const whole = idempotent(idempotency, appOf(caller), request, {
        begin: (keyed) =>
          Effect.flatMap(submit(keyed), (turning) => {
            const answer = isAnsweredAtOnce
              ? Effect.succeed(acceptedAnswer(turning))
              : Effect.flatMap(turning.result, ended)
            return Effect.map(answer, (stored) => ({ ...stored, replayed: turning.isKnown }))
          }),
        // A turn has its key itself, by which it is found.
        resume: (effect) => Effect.die(new Error(`${effect._tag} is no turn`)),
        onReplay: () => {
          isReplay = true
        }
      }).pipe(
        Effect.map((answer) => {
          if (answer.status === 202) accepting = JSON.parse(answer.body) as Accepted
          return answer
        })
      )

      // The client may disconnect before its turn is accepted; its turn is then interrupted when it is.
      const onClientGone =
        payload.cancelOnDisconnect === true
          ? Deferred.await(accepted).pipe(
              Effect.flatMap(({ interrupt }) => Effect.ignore(interrupt)),
              Effect.timeoutOption(cancelWithin),
              Effect.asVoid
            )
          : Effect.void

      if (!streamed) {
        const answer = yield* orProblem(streams.answer(whole, { isReplay: () => isReplay, onClientGone }))
        return accepting === undefined
          ? answer
          : HttpServerResponse.setHeader(answer, "location", `turns/${accepting.turn_index}`)
      }
      if (keyOf(request.headers) === undefined) {
        const turning = yield* orProblem(submit(undefined))
        return withPlace(yield* streams.respond(request, texts(turning), { onClientGone }), turning, request)
      }
      // Whichever comes first: the turn, where this request starts it, or the stored answer of an earlier request.
      const either = Effect.raceFirst(
        Effect.map(Deferred.await(accepted), texts),
        Effect.map(whole, ({ body }) => Stream.succeed(lastText("result", body)))
      )
      const beforeHeaders = yield* orProblem(Effect.timeoutOption(either, headersWithin))
      const stream = Option.getOrElse(beforeHeaders, () => Stream.unwrap(either))
      const response = yield* streams.respond(request, stream, { onClientGone })
      const turning = yield* Deferred.poll(accepted)
      const placed = Option.isNone(turning) ? response : withPlace(response, yield* turning.value, request)
      return isReplay ? HttpServerResponse.setHeaders(placed, replayedHeader) : placed
    })

    return handlers.handleAll({
      submit: (submission) => answered(submission, wantsEvents(submission.request.headers)),
      stream: (submission) => answered(submission, true),

      list: Effect.fnUntraced(function* ({ params, query }) {
        const caller = yield* CurrentCaller
        const limit = query.limit ?? defaultLimit
        let after = query.cursor === undefined ? (query.after ?? 0) : indexOf(query.cursor)
        if (Number.isNaN(after)) return yield* failWith(badCursor)
        const { turnCount } = yield* orProblem(sessions.get(caller, params.id))
        const turns: Array<string> = []
        let chars = 0
        let more = true
        while (more && turns.length < limit && chars < pageChars) {
          const batchSize = Math.min(turnsAtOnce, limit - turns.length)
          const batch = yield* orProblem(sessions.turns(caller, params.id, { after, limit: batchSize }))
          for (const result of batch) {
            const text = JSON.stringify(storedTurnBody(result))
            turns.push(text)
            chars += text.length
            after = result.turn.index
          }
          more = batch.length === batchSize
        }
        const next = more && after < turnCount ? JSON.stringify(cursorOf(after)) : "null"
        return responseOf({
          status: 200,
          body: `{"ok":true,"count":${turnCount},"turns":[${turns.join(",")}],"next_cursor":${next}}`
        })
      }),

      get: Effect.fnUntraced(function* ({ params }) {
        const result = yield* orProblem(sessions.turn(yield* CurrentCaller, params.id, params.n))
        return responseOf({ status: 200, body: JSON.stringify(storedTurnBody(result)) })
      }),

      interrupt: Effect.fnUntraced(function* ({ params }) {
        const interrupted = yield* orProblem(sessions.interrupt(yield* CurrentCaller, params.id, params.n))
        return { ok: true, interrupted } as const
      }),

      messages: Effect.fnUntraced(function* ({ params, query }) {
        const after = query.cursor === undefined ? 0 : indexOf(query.cursor)
        if (Number.isNaN(after)) return yield* failWith(badCursor)
        const range = { after, before: query.before, limit: query.limit ?? defaultLimit }
        const { messages, next } = yield* orProblem(sessions.messages(yield* CurrentCaller, params.id, range))
        return { ok: true, messages, nextCursor: next === null ? null : cursorOf(next) } as const
      }),

      compact: Effect.fnUntraced(function* ({ params }) {
        const turning = yield* orProblem(sessions.compact(yield* CurrentCaller, params.id))
        return yield* orProblem(streams.answer(Effect.flatMap(turning.result, ended), {}))
      })
    })
  })
)

interface Submission {
  readonly params: { readonly id: string }
  readonly payload: typeof SubmitTurn.Type
  readonly request: HttpServerRequest.HttpServerRequest
}

const settingsOf = ({ effort, mode, model, outputSchema }: TurnSettings): TurnSettings => ({
  ...(effort === undefined ? {} : { effort }),
  ...(mode === undefined ? {} : { mode }),
  ...(model === undefined ? {} : { model }),
  ...(outputSchema === undefined ? {} : { outputSchema })
})

const wantsEvents = (headers: Headers.Headers) => headers["accept"]?.includes("text/event-stream") === true

/** Says which turn is streamed, before any event of it, relative to the request's address. */
const withPlace = (
  response: HttpServerResponse.HttpServerResponse,
  { index }: Pick<Turning, "index">,
  { url }: HttpServerRequest.HttpServerRequest
) => HttpServerResponse.setHeader(response, turnPlaceHeader, `${/\/stream(\?|$)/.test(url) ? "../" : ""}turns/${index}`)

type Accepted = (typeof AcceptedTurn)["Encoded"]

const acceptedAnswer = ({ index, session }: Pick<Turning, "index" | "session">): StoredAnswer => ({
  status: 202,
  body: JSON.stringify({ ok: true, session_id: session, turn_index: index } satisfies Accepted)
})

const answerOf = (maxProcesses: number) => (result: TurnResult) => {
  const refusal = refusalIn(result)
  return refusal === undefined
    ? Effect.succeed({ status: statusOf(result.turn), body: JSON.stringify(turnBody(outcomeOf(result))) })
    : Effect.fail({ ...refusal, exceeded: { name: "processes", quota: maxProcesses } })
}

/** Each event as it is stored, then the outcome. */
const textsOf = (ended: ReturnType<typeof answerOf>) => (turning: Turning) =>
  Stream.concat(
    Stream.map(turning.events, eventText),
    Stream.fromEffect(
      turning.result.pipe(
        Effect.flatMap(ended),
        Effect.map(({ body }) => lastText("result", body))
      )
    )
  )

/** Opaque to a client, so that its form may change. */
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
