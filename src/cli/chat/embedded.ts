/** A conversation with a session in this process: the runtime itself, without a port. */
import { Effect, Stream } from "effect"
import { Sessions } from "../../services/Sessions.ts"
import type { Caller } from "../../services/Sessions.ts"
import { AppName } from "../../domain/Ids.ts"
import type { CreateSession } from "../../domain/Session.ts"
import { outcomeOf } from "../../domain/TurnOutcome.ts"
import { asCommandFailed, CommandFailed } from "../failures.ts"
import type { Conversation } from "./Conversation.ts"

/** The app that owns the sessions: none of the data dir has this name, unless somebody chooses it. */
const app = AppName.make("chat")
const caller: Caller = { _tag: "App", app }

export const open = Effect.fnUntraced(function* (request: CreateSession) {
  const sessions = yield* Sessions
  const { agent, id } = yield* sessions.create(app, request).pipe(
    Effect.catchTag("UnknownAgent", ({ code, name }) => {
      const problem = `No agent is called ${JSON.stringify(name)}. troupe doctor lists the ones there are; troupe.config.json adds more.`
      return Effect.fail(new CommandFailed({ code, problem }))
    }),
    Effect.mapError(asCommandFailed)
  )
  const conversation: Conversation = {
    id,
    agent,
    events: Stream.unwrap(sessions.events(caller, id, 0)).pipe(
      Stream.map(({ message }) => message),
      Stream.mapError(asCommandFailed)
    ),
    submit: (prompt) => sessions.submit(caller, id, { prompt }).pipe(Effect.asVoid, Effect.mapError(asCommandFailed)),
    compact: sessions.compact(caller, id).pipe(
      Effect.flatMap(({ result }) => result),
      Effect.map(outcomeOf),
      Effect.map(({ compacted, completed }) => compacted || !completed),
      Effect.mapError(asCommandFailed)
    ),
    steer: (text) => Effect.mapError(sessions.steer(caller, id, text), asCommandFailed),
    interrupt: sessions.interrupt(caller, id).pipe(Effect.asVoid, Effect.mapError(asCommandFailed)),
    permit: (permissions) =>
      sessions.change(caller, id, { permissions }).pipe(Effect.asVoid, Effect.mapError(asCommandFailed)),
    approval: (approvalId) =>
      sessions.approvals(caller, id).pipe(
        Effect.map((pending) => pending.find(({ id }) => id === approvalId) ?? null),
        Effect.mapError(asCommandFailed)
      ),
    answer: (approval, decision) =>
      sessions.answer(caller, id, approval, decision).pipe(Effect.asVoid, Effect.mapError(asCommandFailed)),
    summary: sessions.get(caller, id).pipe(
      Effect.map(({ permissions, process, turnCount, usage }) => ({
        turns: turnCount,
        usage,
        pid: process.pid,
        permissions
      })),
      Effect.mapError(asCommandFailed)
    ),
    close: sessions.close(caller, id).pipe(Effect.asVoid, Effect.mapError(asCommandFailed))
  }
  return conversation
})
