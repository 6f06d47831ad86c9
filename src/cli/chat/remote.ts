/** A conversation with a session on a server: over HTTP, by the typed client, with an app's token. */
import { Effect, Schedule, Stream } from "effect"
import type { Client } from "../../http/Client.ts"
import type { CreateSession } from "../../http/contract/sessions.ts"
import { asCommandFailed, CommandFailed } from "../failures.ts"
import type { NarratedMessage } from "../narration.ts"
import { explained } from "../server.ts"
import type { Conversation } from "./Conversation.ts"

/** A server that restarts has to be back within these attempts. */
const reconnects = Schedule.max([Schedule.spaced("1 second"), Schedule.recurs(20)])

/** The longest time that a request takes: a close waits for all steps of its session's retirement. */
const answerWithin = "60 seconds"

export const open = Effect.fnUntraced(function* (client: Client, url: string, request: typeof CreateSession.Type) {
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
  const { agent, sessionId: id } = yield* withinDeadline(client.sessions.create({ headers: {}, payload: request }))
  const params = { id }

  let after = 0
  let closed = false
  const lost = new CommandFailed({
    code: "unreachable",
    problem: `The server at ${url} ended the session's stream and does not give it again. Look at its log.`
  })
  /** A stream that breaks is resumed after the last event that was received. */
  const events = Stream.unwrap(
    Effect.suspend(() => client.sessions.events({ params, query: { after: String(after) }, headers: {} }))
  ).pipe(
    Stream.map(({ data, id }): NarratedMessage => {
      after = Number(id ?? after)
      closed ||= data.method === "_troupe/state" && isClosing(data.params)
      return data
    }),
    Stream.mapError((error) => asCommandFailed(explained(url)(error))),
    Stream.concat(Stream.suspend(() => (closed ? Stream.empty : Stream.fail(lost)))),
    Stream.retry(reconnects)
  )

  const pendingApproval = Effect.fnUntraced(function* (id: string) {
    const { approvals } = yield* withinDeadline(client.approvals.list({ params }))
    const approval = approvals.find(({ approvalId }) => approvalId === id)
    return approval === undefined ? null : { ...approval, id }
  })

  const conversation: Conversation = {
    id,
    agent,
    events,
    submit: (prompt) =>
      Effect.asVoid(withinDeadline(client.turns.submit({ params, headers: {}, payload: { prompt, wait: false } }))),
    // Answered when the turn has ended, without a deadline here: the turn has its own.
    compact: client.turns.compact({ params }).pipe(
      Effect.map(({ compacted, completed }) => compacted || !completed),
      Effect.mapError((error) => asCommandFailed(explained(url)(error)))
    ),
    steer: (text) => Effect.asVoid(withinDeadline(client.sessions.steer({ params, payload: { text } }))),
    interrupt: Effect.asVoid(withinDeadline(client.sessions.interrupt({ params }))),
    permit: (permissions) =>
      Effect.asVoid(withinDeadline(client.sessions.change({ params, payload: { permissions } }))),
    approval: pendingApproval,
    answer: (approval, decision) =>
      Effect.asVoid(
        withinDeadline(client.approvals.answer({ params: { id, approval_id: approval }, payload: { decision } }))
      ),
    summary: Effect.map(
      withinDeadline(client.sessions.get({ params })),
      ({ permissions, process, turnCount, usage }) => ({
        turns: turnCount,
        usage,
        pid: process.pid,
        permissions
      })
    ),
    close: Effect.asVoid(withinDeadline(client.sessions.close({ params })))
  }
  return conversation
})

const isClosing = (params: unknown): boolean =>
  typeof params === "object" && params !== null && "to" in params && params.to === "closed"
