/** The library in one process with the runtime: each operation is one of the services'. */
import { Effect, Schema, Stream } from "effect"
import { createHash } from "node:crypto"
import { isAgentMessage } from "../domain/Acp.ts"
import type { TurnMessage } from "../domain/events/StreamedMessage.ts"
import { AppName, FileId } from "../domain/Ids.ts"
import type { CreateSession } from "../domain/Session.ts"
import type { Message, TurnResult } from "../domain/Turn.ts"
import { outcomeOf, refusalIn } from "../domain/TurnOutcome.ts"
import { appOf } from "../http/currentApp.ts"
import { Files } from "../services/Files.ts"
import { Idempotency } from "../services/Idempotency.ts"
import { namedSession } from "../services/namedSession.ts"
import { OneShotRuns } from "../services/OneShotRuns.ts"
import { Operator } from "../services/Operator.ts"
import { ReviewResults } from "../services/ReviewResults.ts"
import { SessionActorRefs } from "../services/SessionActorRefs.ts"
import { Sessions } from "../services/Sessions.ts"
import type { Caller, Turning } from "../services/Sessions.ts"
import { submissionOf } from "../services/submission.ts"
import { Threads } from "../services/Threads.ts"
import { sessionInfo } from "./Backend.ts"
import type { Backend, EndedTurn, OpenedSession, SessionBackend, StoredTurn, Submitted } from "./Backend.ts"
import type { Promises } from "./runPromises.ts"
import { TroupeError } from "./TroupeError.ts"

/** Of one page of messages; a whole conversation is read in as many pages as it takes. */
const turnsAtOnce = 200

/** The services that it calls. */
export type BackendServices =
  | Files
  | Idempotency
  | OneShotRuns
  | Operator
  | ReviewResults
  | SessionActorRefs
  | Sessions
  | Threads

/** The runtime in this process. */
export interface Host extends Promises<BackendServices> {
  readonly close: () => Promise<void>
}

/** What an admin creates belongs to the app `admin`, as over HTTP. */
export const make = (host: Host, caller: Caller): Backend => {
  const { close, run } = host
  const app = appOf(caller)
  const sessions = <A, E>(use: (sessions: Sessions["Service"]) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(Sessions, use))
  return {
    session: (id) => sessionOf(host, caller, id),
    create: (request, key) =>
      key === undefined
        ? sessions((service) => service.create(app, request, undefined, caller))
        : run(createOnce(caller, app, request, key)),
    createNamed: (name, request) => sessions((service) => service.named(app, name, request, caller)),
    idOfName: (name) => namedSession(app, caller, name),
    list: async (query) => {
      const { items, ...page } = await sessions((service) => service.list(caller, query))
      return { ...page, items: items.map(sessionInfo) }
    },
    run: (request) => run(Effect.flatMap(OneShotRuns, (runs) => runs.run(app, request))),
    storeFile: async (name, content) => {
      const {
        id,
        name: stored,
        size
      } = await run(Effect.flatMap(Files, (files) => files.store(app, name, streamOf(content))))
      return { id, name: stored, size }
    },
    agents: async () =>
      (await run(Effect.flatMap(Operator, ({ agents }) => agents))).map(({ starts: _, ...agent }) => agent),
    threads: async (agent, query) => {
      const { next, threads } = await run(Effect.flatMap(Threads, ({ list }) => list(caller, agent, query)))
      return { items: threads, next }
    },
    memories: async () => (await run(Effect.flatMap(ReviewResults, ({ memories }) => memories(app)))).map(withoutApp),
    skills: async () => (await run(Effect.flatMap(ReviewResults, ({ skills }) => skills(app)))).map(withoutApp),
    sweep: () => run(Effect.flatMap(Operator, ({ sweep }) => sweep)),
    as: (other) => make(host, { _tag: "App", app: appNamed(other) }),
    close
  }
}

const isAppName = Schema.is(AppName)

export const appNamed = (app: string): AppName => {
  if (isAppName(app)) return app
  const message = `app is ${JSON.stringify(app)}: it takes 1 to 63 characters of a-z, 0-9, '.', '_' or '-', beginning with a letter or digit.`
  throw new TroupeError({ code: "invalid_request", status: 400, message })
}

/** By the receipt that is stored with the session: the same key has one session, also where the first answer was lost. */
const createOnce = Effect.fnUntraced(function* (caller: Caller, app: AppName, request: CreateSession, key: string) {
  const idempotency = yield* Idempotency
  const sessions = yield* Sessions
  const answer = ({ agent, id }: OpenedSession) => ({ status: 200, body: JSON.stringify({ agent, id }) })
  const { body } = yield* idempotency.once(
    { app, key, fingerprint: fingerprintOf(request) },
    {
      begin: (keyed) => Effect.map(sessions.create(app, request, keyed, caller), answer),
      resume: (effect) =>
        effect._tag === "SessionCreated"
          ? Effect.map(sessions.get(caller, effect.session), answer)
          : Effect.die(new Error(`${effect._tag} is no effect of a session's creation`))
    }
  )
  return JSON.parse(body) as OpenedSession
})

const fingerprintOf = (request: CreateSession) =>
  createHash("sha256")
    .update(`create ${JSON.stringify(request)}`)
    .digest("hex")

const withoutApp = <A extends { readonly app: unknown }>({ app: _, ...rest }: A): Omit<A, "app"> => rest

const sessionOf = ({ iterate, run }: Host, caller: Caller, id: string): SessionBackend => {
  const sessions = <A, E>(use: (sessions: Sessions["Service"]) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(Sessions, use))

  const submitted = (turning: Turning): Submitted => {
    const ended = async (): Promise<EndedTurn> => {
      const result = await run(turning.result)
      const refusal = refusalIn(result)
      if (refusal !== undefined) throw new TroupeError({ ...refusal, message: refusal.detail })
      return { outcome: outcomeOf(result), interruptReason: result.interruptReason }
    }
    const agentMessages = turning.events.pipe(
      Stream.map(({ message }) => message),
      Stream.filter((message): message is TurnMessage => isAgentMessage(message))
    )
    return {
      index: turning.index,
      ended,
      messages: () => iterate(Effect.succeed(agentMessages)),
      interrupt: () => run(turning.interrupt)
    }
  }

  return {
    submit: async ({
      effort,
      files,
      fingerprint,
      idempotencyKey,
      messages,
      mode,
      model,
      outputSchema,
      prompt,
      queue,
      timeoutMillis
    }) => {
      const request = {
        prompt,
        messages,
        settings: { effort, mode, model, outputSchema },
        files: files?.map((file) => FileId.make(file)),
        queue,
        timeoutMillis
      }
      const submission =
        idempotencyKey === undefined || fingerprint === undefined
          ? submissionOf(idempotencyKey, request)
          : { id: idempotencyKey, fingerprint }
      return submitted(await sessions((service) => service.submit(caller, id, { ...request, submission })))
    },
    submitted: async (key, fingerprint) => {
      const found = await sessions((service) => service.submitted(caller, id, { id: key, fingerprint }))
      return found === null ? null : submitted(found)
    },
    compact: async () => (await submitted(await sessions((service) => service.compact(caller, id))).ended()).outcome,
    steer: (text) => sessions((service) => service.steer(caller, id, text)),
    messages: async (before) => {
      const all: Array<Message> = []
      for (let after: number | null = 0; after !== null;) {
        const query: { after: number; before: number | undefined; limit: number } = {
          after,
          before,
          limit: turnsAtOnce
        }
        const page = await sessions((service) => service.messages(caller, id, query))
        all.push(...page.messages)
        after = page.next
      }
      return all
    },
    approvals: () => sessions((service) => service.approvals(caller, id)),
    answer: (approvalId, decision, answers) =>
      sessions((service) => service.answer(caller, id, approvalId, decision, answers)),
    reviews: () => run(Effect.flatMap(ReviewResults, ({ ofSession }) => ofSession(caller, id))),
    interrupt: (turn) => sessions((service) => service.interrupt(caller, id, turn)),
    fork: (request) => sessions((service) => service.fork(caller, id, request)),
    change: async (settings) => sessionInfo(await sessions((service) => service.change(caller, id, settings))),
    events: (after, follow) =>
      iterate(Effect.flatMap(Sessions, (service) => service.events(caller, id, after, follow))),
    view: async () => sessionInfo(await sessions((service) => service.get(caller, id))),
    actor: () => run(Effect.flatMap(SessionActorRefs, (refs) => refs.of(caller, id))),
    turnEvents: (turn, after, follow) =>
      iterate(Effect.flatMap(Sessions, (service) => service.turnEvents(caller, id, turn, after, follow))),
    turn: async (index) => storedTurnOf(await sessions((service) => service.turn(caller, id, index))),
    turns: async (after, limit) =>
      (await sessions((service) => service.turns(caller, id, { after, limit }))).map(outcomeOf),
    close: (afterTurn) => sessions((service) => service.close(caller, id, afterTurn))
  }
}

const storedTurnOf = (result: TurnResult): StoredTurn => {
  const { endedAt, kind, prompt, status, submittedAt } = result.turn
  return { ...outcomeOf(result), status, kind, prompt, submittedAt, endedAt }
}

const streamOf = (content: Uint8Array | AsyncIterable<Uint8Array>) =>
  content instanceof Uint8Array
    ? Stream.make(content)
    : Stream.fromAsyncIterable(
        content,
        (cause) =>
          new TroupeError({
            code: "invalid_request",
            status: 400,
            message: "The file's content could not be read.",
            cause
          })
      )
