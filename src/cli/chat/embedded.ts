/** A conversation with a session in this process: the runtime itself, without a port. */
import { Effect, Stream } from "effect"
import { basename } from "node:path"
import { Files } from "../../services/Files.ts"
import { Sessions } from "../../services/Sessions.ts"
import type { Caller } from "../../services/Sessions.ts"
import { Threads } from "../../services/Threads.ts"
import type { ThreadQuery } from "../../services/Threads.ts"
import { AppName, FileId } from "../../domain/Ids.ts"
import type { CreateSession, SessionView } from "../../domain/Session.ts"
import { outcomeOf } from "../../domain/TurnOutcome.ts"
import { asCommandFailed, CommandFailed, noSuchAgent } from "../failures.ts"
import { contentOf, unreadable } from "./attachment.ts"
import { closedBefore, newest, noneOpen, pastOf, threadsShown } from "./Conversation.ts"
import type { Conversation } from "./Conversation.ts"

/** The app that owns new sessions: none of the data dir has this name, unless somebody chooses it. */
const newApp = AppName.make("chat")
/** Who may read the data dir may go on with any session in it. */
const caller: Caller = { _tag: "Admin" }

/** `session`: one that is there, or `last`; absent: a new one. */
export const open = Effect.fnUntraced(function* (request: CreateSession, session: string | null) {
  const files = yield* Files
  const sessions = yield* Sessions
  const threads = yield* Threads

  const create = (session: CreateSession): Effect.Effect<Conversation, CommandFailed> =>
    sessions.create(newApp, session).pipe(
      Effect.catchTag("UnknownAgent", noSuchAgent),
      Effect.map((view) => conversationOf(view, null)),
      Effect.mapError(asCommandFailed)
    )

  const newestOpen = sessions
    .list(caller, { limit: 1, cursor: null, state: "open" })
    .pipe(Effect.flatMap(({ items: [first] }) => (first === undefined ? Effect.fail(noneOpen) : Effect.succeed(first))))

  const comeBack = Effect.fnUntraced(function* (id: string) {
    const view = id === newest ? yield* newestOpen : yield* sessions.get(caller, id)
    if (view.state === "closed") return yield* closedBefore(view.id)
    return conversationOf(view, pastOf(view.turnCount, view.state === "turning"))
  }, Effect.mapError(asCommandFailed))

  const conversationOf = ({ agent, app, id }: SessionView, past: Conversation["past"]): Conversation => ({
    id,
    agent,
    outlives: false,
    past,
    events: Stream.unwrap(sessions.events(caller, id, 0)).pipe(
      Stream.map(({ message, seq }) => ({ seq, ...message })),
      Stream.mapError(asCommandFailed)
    ),
    submit: (prompt, ids) =>
      sessions
        .submit(caller, id, { prompt, files: ids.map((file) => FileId.make(file)) })
        .pipe(Effect.asVoid, Effect.mapError(asCommandFailed)),
    attach: (path) =>
      Effect.flatMap(contentOf(path), (blob) =>
        files
          .store(
            app,
            basename(path),
            Stream.fromReadableStream({ evaluate: () => blob.stream(), onError: (cause) => unreadable(path, cause) })
          )
          .pipe(
            Effect.map((file): string => file.id),
            Effect.mapError((error) => (error instanceof CommandFailed ? error : asCommandFailed(error)))
          )
      ),
    compact: sessions.compact(caller, id).pipe(
      Effect.flatMap(({ result }) => result),
      Effect.map(outcomeOf),
      Effect.map(({ compacted, completed }) => compacted || !completed),
      Effect.mapError(asCommandFailed)
    ),
    steer: (text) => Effect.mapError(sessions.steer(caller, id, text), asCommandFailed),
    interrupt: sessions.interrupt(caller, id).pipe(Effect.asVoid, Effect.mapError(asCommandFailed)),
    change: (settings) => sessions.change(caller, id, settings).pipe(Effect.asVoid, Effect.mapError(asCommandFailed)),
    approval: (approvalId) =>
      sessions.approvals(caller, id).pipe(
        Effect.map((pending) => pending.find(({ id }) => id === approvalId) ?? null),
        Effect.mapError(asCommandFailed)
      ),
    answer: (approval, decision, answers) =>
      sessions.answer(caller, id, approval, decision, answers).pipe(Effect.asVoid, Effect.mapError(asCommandFailed)),
    summary: sessions.get(caller, id).pipe(
      Effect.map(({ process, turnCount, ...settings }) => ({ ...settings, turns: turnCount, pid: process.pid })),
      Effect.mapError(asCommandFailed)
    ),
    fork: (turnIndex) =>
      sessions.fork(caller, id, { turnIndex }).pipe(
        Effect.map((view) => conversationOf(view, null)),
        Effect.mapError(asCommandFailed)
      ),
    goOnWith: (threadId) => create({ ...request, agent, threadId }),
    threads: (cwd) => {
      const query: ThreadQuery = { cwd: cwd ?? null, cursor: null, limit: threadsShown }
      return threads.list(caller, agent, query).pipe(
        Effect.map((page) => ({ threads: page.threads, hasMore: page.next !== null })),
        Effect.mapError(asCommandFailed)
      )
    },
    close: sessions.close(caller, id).pipe(Effect.asVoid, Effect.mapError(asCommandFailed))
  })
  return yield* session === null ? create(request) : comeBack(session)
})
