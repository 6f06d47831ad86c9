/** A conversation with a session on a server: over HTTP, by the typed client, with an app's token. */
import { Effect, Stream } from "effect"
import { HttpClient } from "effect/http"
import { basename } from "node:path"
import * as Client from "../../http/Client.ts"
import type { CreateSession } from "../../http/contract/sessionRequests.ts"
import { asCommandFailed, CommandFailed } from "../failures.ts"
import { explained } from "../server.ts"
import type { Server } from "../server.ts"
import { contentOf } from "./attachment.ts"
import { closedBefore, newest, noneOpen, pastOf, threadsShown } from "./Conversation.ts"
import type { ChatMessage, Conversation } from "./Conversation.ts"
import type { SessionSettings } from "../../domain/Session.ts"

/** The longest time that a request takes: a close waits for all steps of its session's retirement. */
const answerWithin = "60 seconds"

/** `session`: one that is there, or `last`; `null`: a new one. */
export const open = Effect.fnUntraced(function* (
  client: Client.Client,
  server: Server,
  request: typeof CreateSession.Type,
  session: string | null
) {
  const { url } = server
  const http = yield* HttpClient.HttpClient
  const withinDeadline = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.mapError((error) => asCommandFailed(explained(url)(error))),
      Effect.timeoutOrElse({
        duration: answerWithin,
        orElse: () => {
          const problem = `The server at ${url} did not answer within ${answerWithin}. Look at its log.`
          return Effect.fail(new CommandFailed({ code: "timeout", problem }))
        }
      })
    )
  const create = (session: typeof CreateSession.Type) =>
    Effect.map(withinDeadline(client.sessions.create({ headers: {}, payload: session })), (opened) =>
      conversationOf(opened, null)
    )

  const newestOpen = Effect.flatMap(
    withinDeadline(client.sessions.list({ query: { limit: 1, state: "open" } })),
    ({ sessions: [first] }) => (first === undefined ? Effect.fail(noneOpen) : Effect.succeed(first))
  )

  const comeBack = Effect.fnUntraced(function* (id: string) {
    const found = id === newest ? yield* newestOpen : yield* withinDeadline(client.sessions.get({ params: { id } }))
    if (found.state === "closed") return yield* closedBefore(found.sessionId)
    return conversationOf(found, pastOf(found.turnCount, found.state === "turning"))
  })

  const conversationOf = ({ agent, sessionId: id }: Opened, past: Conversation["past"]): Conversation => {
    const params = { id }

    const events = Client.events({ baseUrl: server.url, token: server.token }, id).pipe(
      Stream.map(({ message, seq }): ChatMessage => ({ seq, ...message })),
      Stream.mapError((error) => asCommandFailed(explained(url)(error))),
      Stream.provideService(HttpClient.HttpClient, http)
    )

    const pendingApproval = Effect.fnUntraced(function* (id: string) {
      const { approvals } = yield* withinDeadline(client.approvals.list({ params }))
      const approval = approvals.find(({ approvalId }) => approvalId === id)
      return approval === undefined ? null : { ...approval, id }
    })

    return {
      id,
      agent,
      outlives: true,
      past,
      events,
      submit: (prompt, files) =>
        Effect.asVoid(
          withinDeadline(client.turns.submit({ params, headers: {}, payload: { prompt, files, wait: false } }))
        ),
      attach: Effect.fnUntraced(function* (path: string) {
        const payload = new FormData()
        payload.append("file", yield* contentOf(path), basename(path))
        return (yield* withinDeadline(client.files.upload({ payload }))).fileId
      }),
      // Answered when the turn has ended, without a deadline here: the turn has its own.
      compact: client.turns.compact({ params }).pipe(
        Effect.map(({ compacted, completed }) => compacted || !completed),
        Effect.mapError((error) => asCommandFailed(explained(url)(error)))
      ),
      steer: (text) => Effect.asVoid(withinDeadline(client.sessions.steer({ params, payload: { text } }))),
      interrupt: Effect.asVoid(withinDeadline(client.sessions.interrupt({ params }))),
      change: (settings) =>
        Effect.asVoid(withinDeadline(client.sessions.change({ params, payload: defined(settings) }))),
      approval: pendingApproval,
      answer: (approval, decision, answers) => {
        const payload = answers === undefined ? { decision } : { decision, answers }
        return Effect.asVoid(
          withinDeadline(client.approvals.answer({ params: { id, approval_id: approval }, payload }))
        )
      },
      summary: Effect.map(withinDeadline(client.sessions.get({ params })), ({ process, turnCount, ...settings }) => ({
        ...settings,
        turns: turnCount,
        pid: process.pid
      })),
      fork: (turnIndex) => {
        const payload = turnIndex === undefined ? {} : { turnIndex }
        return Effect.map(withinDeadline(client.sessions.fork({ params, headers: {}, payload })), (opened) =>
          conversationOf(opened, null)
        )
      },
      goOnWith: (threadId) => create({ ...request, agent, threadId }),
      threads: (cwd) => {
        const query = { limit: threadsShown, ...(cwd === undefined ? {} : { cwd }) }
        return Effect.map(withinDeadline(client.agents.threads({ params: { name: agent }, query })), (page) => ({
          threads: page.threads,
          hasMore: page.nextCursor !== null
        }))
      },
      close: Effect.asVoid(withinDeadline(client.sessions.close({ params })))
    }
  }
  return yield* session === null ? create(request) : comeBack(session)
})

interface Opened {
  readonly agent: string
  readonly sessionId: string
}

/** Without the undefined fields, which the client does not accept. */
const defined = ({ effort, mode, model, permissions }: SessionSettings) => ({
  ...(effort === undefined ? {} : { effort }),
  ...(mode === undefined ? {} : { mode }),
  ...(model === undefined ? {} : { model }),
  ...(permissions === undefined ? {} : { permissions })
})
