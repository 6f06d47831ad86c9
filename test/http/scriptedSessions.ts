/** The scripted sessions: the id of a session decides what a request about it gets. */
import { wordsOf } from "../../src/services/promptContent.ts"
import { Deferred, Effect, Layer, Stream } from "effect"
import { AppName, SessionId } from "../../src/domain/Ids.ts"
import { streamed } from "../../src/domain/events/StreamedMessage.ts"
import * as Refusal from "../../src/domain/Refusal.ts"
import type { StoredEvent } from "../../src/domain/Session.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import type { Caller } from "../../src/services/Sessions.ts"
import type { Script } from "./Script.ts"
import { chunk, resultOf, sessionView, storedEvents, turnRecord } from "./scriptedRecords.ts"

export const secret = "sk-this-must-not-leave-the-server"

export const findSession = (
  caller: Caller,
  id: string
): Effect.Effect<string, Refusal.SessionNotFound | Refusal.Unavailable> => {
  if (!id.startsWith("ses_") || id === "ses_none") return Effect.fail(new Refusal.SessionNotFound({ id }))
  if (caller._tag === "App" && caller.app !== "the-app") return Effect.fail(new Refusal.SessionNotFound({ id }))
  if (id === "ses_fault") {
    return Effect.fail(new Refusal.Unavailable({ operation: "read the session", cause: new Error(secret) }))
  }
  if (id === "ses_defect") return Effect.die(new Error(secret))
  return Effect.succeed(id)
}

const refusalOf = (id: string) => {
  const session = SessionId.make(id)
  switch (id) {
    case "ses_closed":
      return new Refusal.SessionClosed({ id: session })
    case "ses_busy":
      return new Refusal.TurnInProgress({ id: session, turn: 4 })
    case "ses_full":
      return new Refusal.QueueFull({ id: session, waiting: 16 })
    case "ses_parked":
      return new Refusal.SessionParked({ id: session, reason: "It died.", until: 0, retryAfterSeconds: 42 })
    case "ses_draining":
      return new Refusal.Draining({})
    default:
      return undefined
  }
}

export const scriptedSessions = (script: Script) => {
  const flood = Stream.fromEffectRepeat(
    Effect.sync((): StoredEvent => {
      script.flooded += 1
      const text = "x".repeat(64 * 1024)
      return {
        session: SessionId.make("ses_flood"),
        seq: script.flooded,
        turn: 1,
        at: 0,
        message: chunk("ses_flood", text)
      }
    })
  )

  return Layer.mock(Sessions)({
    create: (_app, request) => {
      switch (request.agent) {
        case "nobody":
          return Effect.fail(new Refusal.UnknownAgent({ name: "nobody" }))
        case "full":
          return Effect.fail(new Refusal.PoolFull({ what: "sessions", limit: 3, retryAfterSeconds: 7 }))
        case "askers":
          return Effect.fail(new Refusal.NotSupported({ problem: "Asking comes later." }))
        default:
          return Effect.sync(() => {
            script.submitted.push({ caller: { _tag: "Admin" }, prompt: "create", timeoutMillis: undefined })
            return { ...sessionView("ses_0123456789abcdef"), meta: request.meta ?? {} }
          })
      }
    },
    get: (caller, id) => Effect.map(findSession(caller, id), sessionView),
    list: (_caller, query) =>
      query.cursor === "garbage"
        ? Effect.fail(new Refusal.InvalidRequest({ field: "cursor", problem: "is not one of ours." }))
        : Effect.succeed({ items: [sessionView("ses_1")], count: 12, next: query.limit === 1 ? "next" : null }),
    submit: Effect.fnUntraced(function* (caller, id, turn) {
      yield* findSession(caller, id)
      const refusal = refusalOf(id)
      if (refusal !== undefined && turn.queue !== true) return yield* refusal
      const prompt = wordsOf(turn.prompt)
      script.submitted.push({ caller, prompt, timeoutMillis: turn.timeoutMillis })
      // `wait for it: crash` waits, and then ends as `crash` does.
      const [isWaiting, outcome = prompt] = /^wait for it(?:: (.*))?$/.exec(prompt) ?? []
      const waits = isWaiting !== undefined
      const result = resultOf(id, 1, outcome)
      return {
        session: SessionId.make(id),
        index: 1,
        isKnown: false,
        events: Stream.map(
          prompt === "break"
            ? Stream.concat(
                Stream.fromIterable(storedEvents(id, ["one"]).slice(0, 2)),
                Stream.fail(new Refusal.Unavailable({ operation: "read events", cause: new Error(secret) }))
              )
            : waits
              ? Stream.concat(
                  Stream.fromIterable(storedEvents(id, ["one"]).slice(0, 2)),
                  Stream.drain(Stream.fromEffect(Deferred.await(script.release)))
                )
              : Stream.fromIterable(storedEvents(id, ["one", "two\nlines"])),
          streamed
        ),
        result: waits ? Effect.as(Deferred.await(script.release), result) : Effect.succeed(result),
        interrupt: Effect.sync(() => script.interrupted.push(`${id} turn 1`) > 0)
      }
    }),
    turns: (caller, id, { after, limit }) =>
      Effect.map(findSession(caller, id), () =>
        [1, 2, 3]
          .filter((index) => index > after)
          .slice(0, limit)
          .map((index) => resultOf(id, index, "complete"))
      ),
    turn: (caller, id, index) =>
      Effect.flatMap(findSession(caller, id), () =>
        index > 3
          ? Effect.fail(new Refusal.TurnNotFound({ index }))
          : Effect.succeed(
              index === 1 && id === "ses_ok"
                ? { ...resultOf(id, 1, "complete"), turn: turnRecord(id, 1, "running") }
                : resultOf(id, index, "complete")
            )
      ),
    interrupt: (caller, id) =>
      Effect.map(findSession(caller, id), () => {
        script.interrupted.push(id)
        return id === "ses_ok"
      }),
    close: (caller, id) => Effect.map(findSession(caller, id), () => ({ alreadyClosed: id === "ses_closed" })),
    storedEvents: (caller, id, after) =>
      Effect.map(findSession(caller, id), () => {
        if (id === "ses_flood") return flood
        const stored = Stream.fromIterable(storedEvents(id, ["one", "two"]).filter(({ seq }) => seq > after))
        return id === "ses_live" ? Stream.concat(stored, Stream.fromQueue(script.live)) : stored
      }),
    turnEvents: (caller, id, turn, after = 0) =>
      Effect.map(findSession(caller, id), () =>
        Stream.fromIterable(
          storedEvents(id, ["one", "two"]).filter((event) => event.turn === turn && event.seq > after)
        ).pipe(Stream.map(streamed))
      ),
    audit: (id) =>
      Effect.map(findSession({ _tag: "Admin" }, id), () => [
        {
          at: 1_700_000_000_123,
          session: SessionId.make(id),
          app: AppName.make("the-app"),
          action: "create",
          actor: "the-app",
          detail: { agent: "demo" }
        }
      ]),
    move: (id, to) =>
      Effect.flatMap(findSession({ _tag: "Admin" }, id), () =>
        to === "none"
          ? Effect.fail(new Refusal.InvalidRequest({ field: "node", problem: "can't have the session." }))
          : Effect.succeed({ node: to ?? "any", moved: true })
      ),
    unpark: (id) => Effect.map(findSession({ _tag: "Admin" }, id), () => id === "ses_parked")
  })
}
