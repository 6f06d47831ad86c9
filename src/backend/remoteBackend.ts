/** The library over HTTP: each operation is one of the typed client's, and the results have the shapes of the library. */
import { Cause, Effect, ManagedRuntime, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import type { HttpClient } from "effect/http"
import { randomUUID } from "node:crypto"
import type { ApprovalRecord } from "../domain/Approval.ts"
import { placeOf } from "../domain/events/StreamedMessage.ts"
import { SessionId } from "../domain/Ids.ts"
import type { Message } from "../domain/Turn.ts"
import type { TurnOutcome } from "../domain/TurnOutcome.ts"
import * as Client from "../http/Client.ts"
import type { Approval } from "../http/contract/approvals.ts"
import type { StoredTurn as StoredTurnBody } from "../http/contract/bodies.ts"
import { unreachableReason } from "../http/unreachable.ts"
import type { Backend, SessionBackend, StoredTurn, SubmitRequest } from "./Backend.ts"
import { followTurn } from "./remoteTurn.ts"
import { promisesOf } from "./runPromises.ts"
import type { Promises } from "./runPromises.ts"
import { troupeError, TroupeError } from "./TroupeError.ts"

export interface RemoteOptions {
  /** Such as `http://127.0.0.1:8420`. */
  readonly url: string
  /** An app's token, or the admin's. */
  readonly token: string
}

/** Of one page; a list that is read whole is read in as many pages as it takes. */
const pageSize = 200

/** Rejects where no server answers, or takes the token for none. */
export const open = async ({ token, url }: RemoteOptions): Promise<Backend> => {
  const options = { baseUrl: url.replace(/\/+$/, ""), token }
  const runtime = ManagedRuntime.make(FetchHttpClient.layer)
  const promises = promisesOf((effect) => runtime.runPromiseExit(effect), await runtime.context(), errorOf(url))
  try {
    const client = await promises.run(Client.make(options))
    await promises.run(client.sessions.list({ query: { limit: 1 } }))
    return make(promises, client, options, () => runtime.dispose())
  } catch (error) {
    await runtime.dispose()
    throw error
  }
}

const errorOf =
  (url: string) =>
  (cause: Cause.Cause<unknown>): TroupeError => {
    const error = Cause.squash(cause)
    const reason = unreachableReason(error)
    if (reason !== null) {
      const message = `No Troupe answers at ${url} (${reason}). Start one with troupe serve, or correct the url.`
      return new TroupeError({ code: "unreachable", status: 503, message, cause: error })
    }
    if (isForeign(error)) {
      const message = `What answers at ${url} is no Troupe, or one of another version. Correct the url.`
      return new TroupeError({ code: "unreachable", status: 502, message, cause: error })
    }
    return troupeError(cause)
  }

/** An answer that does not fit the contract. */
const isForeign = (error: unknown) =>
  typeof error === "object" &&
  error !== null &&
  "_tag" in error &&
  (error._tag === "SchemaError" || error._tag === "HttpClientError")

export const notOverHttp = (what: string, instead: string) =>
  new TroupeError({ code: "not_supported", status: 422, message: `${what} is not to be had over HTTP. ${instead}` })

const namedOverHttp = () => notOverHttp("A session by a name of the app's", "Keep the id that its creation answers.")

type Run = Promises<HttpClient.HttpClient>

const make = (
  { iterate, run }: Run,
  client: Client.Client,
  options: Client.ClientOptions,
  close: () => Promise<void>
): Backend => ({
  session: (id) => sessionOf({ iterate, run }, client, options, id),
  create: async (request, key) => {
    const payload = defined(request)
    const { agent, sessionId } = await run(client.sessions.create({ headers: onceOnly(key), payload }))
    return { agent, id: sessionId }
  },
  createNamed: () => Promise.reject(namedOverHttp()),
  idOfName: () => {
    throw namedOverHttp()
  },
  list: async ({ cursor, limit, state }) => {
    const query = { limit, ...(cursor === null ? {} : { cursor }), ...(state === null ? {} : { state }) }
    const { count, nextCursor, sessions } = await run(client.sessions.list({ query }))
    return { count, items: sessions.map(({ sessionId: id, ...rest }) => ({ id, ...rest })), next: nextCursor }
  },
  run: async ({ files, keyed: _, model, permissions, prompt, system, timeoutMillis }) => {
    const payload = defined({ prompt, model, system, permissions, files, timeoutS: secondsOf(timeoutMillis) })
    const { durationMs, ...result } = await run(client.run.run({ headers: {}, payload }))
    return result.ok
      ? { ok: true, result: result.result, durationMillis: durationMs, stopReason: result.stopReason }
      : {
          ok: false,
          error: result.error,
          stderr: result.stderr,
          durationMillis: durationMs,
          stopReason: result.stopReason
        }
  },
  storeFile: async (name, content) => {
    const payload = new FormData()
    payload.append("file", new Blob(await chunksOf(content)), name)
    const { fileId, name: stored, size } = await run(client.files.upload({ payload }))
    return { id: fileId, name: stored, size }
  },
  agents: async () => (await run(client.agents.list())).agents,
  threads: async (name, { cursor, cwd, limit }) => {
    const query = { limit, ...(cursor === null ? {} : { cursor }), ...(cwd === null ? {} : { cwd }) }
    const { nextCursor, threads } = await run(client.agents.threads({ params: { name }, query }))
    return { items: threads, next: nextCursor }
  },
  memories: async () =>
    (await run(client.reviews.memories())).memories.map(({ memoryId: id, ...rest }) => ({ id, ...rest })),
  skills: async () => (await run(client.reviews.skills())).skills,
  sweep: async () => {
    const { hardDeleted, softClosed } = await run(client.admin.sweep())
    return { hardDeleted, softClosed }
  },
  as: () => {
    throw notOverHttp("Another app", "Open another Troupe with that app's token.")
  },
  close
})

const sessionOf = (promises: Run, client: Client.Client, options: Client.ClientOptions, id: string): SessionBackend => {
  const { iterate, run } = promises
  const params = { id }
  const session = SessionId.make(id)
  const approval = ({ approvalId, turnIndex, ...rest }: typeof Approval.Type): ApprovalRecord =>
    ({ id: approvalId, session, turn: turnIndex, ...rest }) as ApprovalRecord
  const eventsOf = (from: Parameters<typeof Client.events>[2]) =>
    Stream.map(Client.events(options, id, from), ({ message, seq }) => ({ session, seq, ...placeOf(message), message }))

  return {
    submit: (request) =>
      followTurn(promises, client, options, id, turnOf(request), request.idempotencyKey ?? randomUUID()),
    compact: async () => (await run(client.turns.compact({ params }))) as TurnOutcome,
    steer: async (text) => void (await run(client.sessions.steer({ params, payload: { text } }))),
    messages: async (before) => {
      const all: Array<Message> = []
      // No turn is before the first.
      if (before === 1) return all
      let cursor: string | null = null
      do {
        const query = {
          limit: pageSize,
          ...(before === undefined ? {} : { before }),
          ...(cursor === null ? {} : { cursor: cursor as string })
        }
        const page: { readonly messages: ReadonlyArray<Message>; readonly nextCursor: string | null } = await run(
          client.turns.messages({ params, query })
        )
        all.push(...page.messages)
        cursor = page.nextCursor
      } while (cursor !== null)
      return all
    },
    approvals: async () => (await run(client.approvals.list({ params }))).approvals.map(approval),
    answer: async (approvalId, decision, answers) => {
      const payload = answers === undefined ? { decision } : { decision, answers }
      const { ok: _, ...answered } = await run(
        client.approvals.answer({ params: { id, approval_id: approvalId }, payload })
      )
      return approval(answered)
    },
    reviews: async () =>
      (await run(client.reviews.list({ params }))).reviews.map(({ reviewId, turnIndex: turn, ...rest }) => ({
        id: reviewId,
        session,
        turn,
        ...rest
      })),
    interrupt: async (turn) => {
      const asked =
        turn === undefined ? client.sessions.interrupt({ params }) : client.turns.interrupt({ params: { id, n: turn } })
      return (await run(asked)).interrupted
    },
    fork: async (request) => {
      const payload = defined(request)
      const { agent, sessionId } = await run(client.sessions.fork({ params, headers: onceOnly(), payload }))
      return { agent, id: sessionId }
    },
    change: async (settings) => {
      const { ok: _, sessionId, ...rest } = await run(client.sessions.change({ params, payload: defined(settings) }))
      return { id: sessionId, ...rest }
    },
    events: (after, follow = true) => iterate(Effect.sync(() => eventsOf({ after, follow }))),
    view: async () => {
      const { ok: _, sessionId, ...rest } = await run(client.sessions.get({ params }))
      return { id: sessionId, ...rest }
    },
    submitted: () =>
      Promise.reject(notOverHttp("The turn of a key", "Submit it again: the key leads to the same turn.")),
    actor: () =>
      Promise.reject(
        notOverHttp("The session's machine as an actor", "Read events, which have each change of its state.")
      ),
    turnEvents: (turn, after, follow = true) =>
      iterate(Effect.sync(() => eventsOf({ turn, follow, ...(after === undefined ? {} : { after }) }))),
    turn: async (index) => {
      const { endedAt, submittedAt, ...turn } = await run(client.turns.get({ params: { id, n: index } }))
      return { ...(turn as StoredTurn), submittedAt, endedAt }
    },
    turns: async (after, limit) => {
      const query = { limit: Math.min(limit, pageSize), ...(after === 0 ? {} : { after }) }
      const { turns } = await run(client.turns.list({ params, query }))
      return turns.map(outcomeOfStored)
    },
    close: async (afterTurn = false) => {
      if (afterTurn) throw notOverHttp("A close after the turn", "Close the session when its turn has ended.")
      const { alreadyClosed = false } = await run(client.sessions.close({ params }))
      return { alreadyClosed }
    }
  }
}

/** The keys of an outcome, without those that only a stored turn has. */
const outcomeOfStored = ({
  endedAt: _endedAt,
  kind: _kind,
  prompt: _prompt,
  status: _status,
  submittedAt: _submittedAt,
  ...outcome
}: typeof StoredTurnBody.Type): TurnOutcome => outcome as TurnOutcome

const turnOf = ({ fingerprint: _fingerprint, idempotencyKey: _, timeoutMillis, ...request }: SubmitRequest) =>
  defined({ ...request, timeoutS: secondsOf(timeoutMillis) })

const secondsOf = (millis: number | undefined) => (millis === undefined ? undefined : millis / 1000)

/** A creation whose answer is lost has no second effect where it is sent again. */
const onceOnly = (key: string = randomUUID()) => ({ "idempotency-key": key })

type Defined<A> = { readonly [K in keyof A]: Exclude<A[K], undefined> }

/** Without the undefined fields, which the contract does not take. */
const defined = <A extends object>(request: A) =>
  Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined)) as Defined<A>

const chunksOf = async (content: Uint8Array | AsyncIterable<Uint8Array>) => {
  if (content instanceof Uint8Array) return [new Uint8Array(content)]
  const chunks: Array<Uint8Array<ArrayBuffer>> = []
  for await (const chunk of content) chunks.push(new Uint8Array(chunk))
  return chunks
}
