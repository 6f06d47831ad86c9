/** A conversation with a session of a server: over HTTP, by the typed client, with an app's token. */
import { Effect, Schedule, Stream } from "effect"
import type { Client } from "../../http/Client.ts"
import type { CreateSession } from "../../http/contract/sessions.ts"
import { asFailed, CommandFailed } from "../failures.ts"
import type { Told } from "../narration.ts"
import { inWords } from "../server.ts"
import type { Conversation } from "./Conversation.ts"

/** A server that restarts is back within this, or is given up. */
const reconnects = Schedule.max([Schedule.spaced("1 second"), Schedule.recurs(20)])

/** Whatever is asked for, the server answers within this; a close goes up its whole ladder. */
const answerWithin = "60 seconds"

export const open = Effect.fnUntraced(function* (client: Client, url: string, request: typeof CreateSession.Type) {
  const asked = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.mapError((error) => asFailed(inWords(url)(error))),
      Effect.timeoutOrElse({
        duration: answerWithin,
        orElse: () => {
          const problem = `The server at ${url} did not answer within ${answerWithin}. Look at its log.`
          return Effect.fail(new CommandFailed({ code: "timeout", problem }))
        }
      })
    )
  const { agent, sessionId: id } = yield* asked(client.sessions.create({ headers: {}, payload: request }))
  const params = { id }

  let after = 0
  let closed = false
  const lost = new CommandFailed({
    code: "unreachable",
    problem: `The server at ${url} ended the session's stream and does not give it again. Look at its log.`
  })
  /** A stream that breaks is taken up behind the last event that was seen. */
  const events = Stream.unwrap(
    Effect.suspend(() => client.sessions.events({ params, query: { after: String(after) }, headers: {} }))
  ).pipe(
    Stream.map(({ data, id }): Told => {
      after = Number(id ?? after)
      closed ||= data.method === "_troupe/state" && isClosing(data.params)
      return data
    }),
    Stream.mapError((error) => asFailed(inWords(url)(error))),
    Stream.concat(Stream.suspend(() => (closed ? Stream.empty : Stream.fail(lost)))),
    Stream.retry(reconnects)
  )

  const question = Effect.fnUntraced(function* (wanted: string) {
    const { approvals } = yield* asked(client.approvals.list({ params }))
    const found = approvals.find(({ approvalId }) => approvalId === wanted)
    return found === undefined ? null : { ...found, id: found.approvalId }
  })

  const conversation: Conversation = {
    id,
    agent,
    events,
    submit: (prompt) =>
      Effect.asVoid(asked(client.turns.submit({ params, headers: {}, payload: { prompt, wait: false } }))),
    // Answered when it is over, however long that takes: the turn has a deadline of its own.
    compact: client.turns.compact({ params }).pipe(
      Effect.map(({ compacted, completed }) => compacted || !completed),
      Effect.mapError((error) => asFailed(inWords(url)(error)))
    ),
    steer: (text) => Effect.asVoid(asked(client.sessions.steer({ params, payload: { text } }))),
    interrupt: Effect.asVoid(asked(client.sessions.interrupt({ params }))),
    question,
    answer: (approval, decision) =>
      Effect.asVoid(asked(client.approvals.answer({ params: { id, approval_id: approval }, payload: { decision } }))),
    summary: Effect.map(asked(client.sessions.get({ params })), ({ process, turnCount, usage }) => ({
      turns: turnCount,
      usage,
      pid: process.pid
    })),
    close: Effect.asVoid(asked(client.sessions.close({ params })))
  }
  return conversation
})

const isClosing = (params: unknown): boolean =>
  typeof params === "object" && params !== null && "to" in params && params.to === "closed"
