/** Sessions over HTTP. */
import { Effect, Schema, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import type { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import type { Refusal } from "../../domain/Refusal.ts"
import type { SessionState, SessionView } from "../../domain/Session.ts"
import { Idempotency } from "../../services/Idempotency.ts"
import type { KeyedRequest } from "../../services/Idempotency.ts"
import { Sessions } from "../../services/Sessions.ts"
import { Api } from "../Api.ts"
import { CurrentCaller } from "../contract/Auth.ts"
import { defaultLimit } from "../contract/bodies.ts"
import type { ProblemDetails } from "../contract/Problem.ts"
import { CreatedSession } from "../contract/sessions.ts"
import { responseOf, idempotent } from "../idempotent.ts"
import { failWith, orProblem } from "../problems.ts"
import { eventText, storedEventText, Streams } from "../Streams.ts"
import { currentApp } from "../currentApp.ts"
import { sessionDto } from "../dto.ts"

const createdJson = Schema.encodeEffect(Schema.fromJsonString(Schema.toCodecJson(CreatedSession)))

export const layer = HttpApiBuilder.group(
  Api,
  "sessions",
  Effect.fnUntraced(function* (handlers) {
    const idempotency = yield* Idempotency
    const sessions = yield* Sessions
    const streams = yield* Streams

    /** Once for an Idempotency-Key. */
    const createdOnce = Effect.fnUntraced(function* <E extends Refusal>(
      request: HttpServerRequest.HttpServerRequest,
      locationOf: (session: string) => string,
      create: (keyed: KeyedRequest | undefined) => Effect.Effect<SessionView, E>
    ) {
      const caller = yield* CurrentCaller
      const answer = yield* orProblem(
        idempotent(idempotency, yield* currentApp, request, {
          begin: (keyed) => Effect.flatMap(create(keyed), createdAnswer),
          resume: (effect) =>
            effect._tag === "SessionCreated"
              ? Effect.flatMap(sessions.get(caller, effect.session), createdAnswer)
              : Effect.die(new Error(`${effect._tag} is no effect of a session's creation`))
        })
      )
      const { session_id } = JSON.parse(answer.body) as { readonly session_id: string }
      return HttpServerResponse.setHeader(responseOf(answer), "location", locationOf(session_id))
    })

    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ payload, request }) {
        const app = yield* currentApp
        return yield* createdOnce(
          request,
          (id) => `sessions/${id}`,
          (keyed) => sessions.create(app, payload, keyed)
        )
      }),

      fork: Effect.fnUntraced(function* ({ params, payload, request }) {
        const caller = yield* CurrentCaller
        return yield* createdOnce(
          request,
          (id) => `../${id}`,
          (keyed) => sessions.fork(caller, params.id, payload, keyed)
        )
      }),

      list: Effect.fnUntraced(function* ({ query }) {
        const page = yield* orProblem(sessions.list(yield* CurrentCaller, pageOf(query)))
        return { ok: true, count: page.count, sessions: page.items.map(sessionDto), nextCursor: page.next } as const
      }),

      get: Effect.fnUntraced(function* ({ params }) {
        const session = yield* orProblem(sessions.get(yield* CurrentCaller, params.id))
        return { ok: true, ...sessionDto(session) } as const
      }),

      change: Effect.fnUntraced(function* ({ params, payload }) {
        const session = yield* orProblem(sessions.change(yield* CurrentCaller, params.id, payload))
        return { ok: true, ...sessionDto(session) } as const
      }),

      close: Effect.fnUntraced(function* ({ params }) {
        const { alreadyClosed } = yield* orProblem(sessions.close(yield* CurrentCaller, params.id))
        return closed(alreadyClosed)
      }),

      interrupt: Effect.fnUntraced(function* ({ params }) {
        const interrupted = yield* orProblem(sessions.interrupt(yield* CurrentCaller, params.id))
        return { ok: true, interrupted } as const
      }),

      steer: Effect.fnUntraced(function* ({ params, payload }) {
        yield* orProblem(sessions.steer(yield* CurrentCaller, params.id, payload.text))
        return { ok: true, steered: true } as const
      }),

      events: Effect.fnUntraced(function* ({ headers, params, query, request }) {
        // A browser that reconnects sends the header (or `lastEventId`, where a polyfill does), and it has seen more by then
        // than when it sent `after`.
        const lastEventId = headers["last-event-id"] ?? query.lastEventId
        const after = lastEventId === undefined || lastEventId === "" ? query.after : lastEventId
        if (after !== undefined && !(lastEventId === after ? sequenceNumber : cursor).test(after)) {
          return yield* failWith(badCursor(lastEventId === after ? "last-event-id" : "after"))
        }
        const follow = query.follow !== "false"
        const caller = yield* CurrentCaller
        const from = after === undefined ? undefined : Number(after)
        const texts = yield* orProblem(
          query.turn === undefined
            ? Effect.map(sessions.storedEvents(caller, params.id, from ?? 0, follow), Stream.map(storedEventText))
            : Effect.map(sessions.turnEvents(caller, params.id, query.turn, from, follow), Stream.map(eventText))
        )
        // A client that does not say it could take an unknown line for an end, as `effect`'s own does.
        const takesRetry = request.headers["accept"]?.includes("text/event-stream") === true
        return yield* streams.respond(request, texts, { isResumable: takesRetry && follow })
      })
    })
  })
)

/** The session is new in its answer, also where a later state is known by now: the key gets what it would have got. */
const createdAnswer = Effect.fnUntraced(function* ({ agent, createdAt, id, meta }: SessionView) {
  const body = { ok: true, sessionId: id, agent, state: "idle", createdAt, meta } as const
  return { status: 200, body: yield* Effect.orDie(createdJson(body)) }
})

export const pageOf = (query: {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
  readonly state?: SessionState | "open" | undefined
}) => ({ limit: query.limit ?? defaultLimit, cursor: query.cursor ?? null, state: query.state ?? null })

export const closed = (alreadyClosed: boolean) =>
  alreadyClosed ? ({ ok: true, alreadyClosed: true } as const) : ({ ok: true } as const)

const sequenceNumber = /^\d{1,15}$/
/** From the end where it is negative. */
const cursor = /^-?\d{1,15}$/

const badCursor = (field: string) =>
  ({
    code: "invalid_request",
    status: 400,
    detail: `${field} must be the id of an event of this session: a whole number, 0 for all.`
  }) as const satisfies ProblemDetails
