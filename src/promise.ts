/**
 * `troupe/promise`: sessions with plain promises, in your own process or on a server. Without a `url` it is the same runtime
 * as the server's, without a port; with one, the same interface over HTTP.
 *
 *     await using troupe = await openTroupe({ dataDir: ":memory:" })    // or { url, token }
 *     const session = await troupe.createSession({ agent: "demo" })
 *     for await (const event of session.turn("hello")) console.log(event)
 */
import "./needsNode.ts"
import { Logger, Option, Redacted } from "effect"
import type { Layer } from "effect"
import { randomBytes } from "node:crypto"
import type { RunPrompt, RunResult } from "./services/OneShotRuns.ts"
import type { AgentStatus } from "./services/Operator.ts"
import { jsonLine } from "./domain/logLine.ts"
import type { CreateSession, SessionState } from "./domain/Session.ts"
import { checkCreation } from "./promise/checkValues.ts"
import { checkOptions } from "./promise/checkOptions.ts"
import type { NamesOf } from "./promise/checkOptions.ts"
import { createSessionNames } from "./promise/sessionNames.ts"
import type { Backend, LearnedFact, LearnedSkill, SessionPage, StoredFile, ThreadPage } from "./backend/Backend.ts"
import * as Handler from "./promise/handler.ts"
import type { FetchHandler, HandlerOptions, Handlers, NodeHandler } from "./promise/handler.ts"
import * as Embedded from "./promise/Embedded.ts"
import * as EmbeddedBackend from "./backend/embeddedBackend.ts"
import { appNamed } from "./backend/embeddedBackend.ts"
import type { RemoteOptions } from "./backend/remoteBackend.ts"
import { hostedReviews } from "./promise/Reviewing.ts"
import { optionNames, readOptions } from "./promise/openOptions.ts"
import type { TroupeOptions } from "./promise/openOptions.ts"
import { makeSession } from "./promise/Session.ts"
import type { Session } from "./promise/Session.ts"

export type { SessionActorRef, SessionRequest } from "./services/MirrorActor.ts"
export type { AgentView } from "./services/AgentDirectory.ts"
export type { AgentStatus } from "./services/Operator.ts"
export type { RunResult } from "./services/OneShotRuns.ts"
export type { AcpMessage } from "./domain/Acp.ts"
export type { ApprovalDecision, ApprovalRecord, ApprovalStatus } from "./domain/Approval.ts"
export type {
  PermissionMatch,
  PermissionPolicy,
  PermissionRule,
  PermissionRules,
  Permissions
} from "./domain/Permissions.ts"
export type {
  ChangeSession,
  Choices,
  CreateSession,
  ForkSession,
  SessionSettings,
  StoredEvent
} from "./domain/Session.ts"
export type { McpServer, McpServerSpec } from "./domain/McpServer.ts"
export type { ContentBlock } from "./domain/PromptContent.ts"
export type {
  LearnedFact,
  LearnedSkill,
  Page,
  SessionInfo,
  SessionPage,
  StoredFile,
  ThreadPage
} from "./backend/Backend.ts"
export type { FetchHandler, HandlerOptions, NodeHandler } from "./promise/handler.ts"
export type { TroupeOptions } from "./promise/openOptions.ts"
export type { RemoteOptions } from "./backend/remoteBackend.ts"
export type { StreamedEvent, StreamedMessage, TurnMessage } from "./domain/events/StreamedMessage.ts"
export type { StreamedUpdate } from "./domain/events/StreamedUpdate.ts"
export type { ReviewRequest } from "./wiring.ts"
export type { ReviewRecord } from "./domain/Review.ts"
export type { Reviewing } from "./promise/Reviewing.ts"
export type { AgentSpec, Limits, RunSpec } from "./domain/Settings.ts"
export type { Message, Usage } from "./domain/Turn.ts"
export type { ConversationOptions, ConversationResult } from "./promise/Conversation.ts"
export type { Session, Turn, TurnOptions } from "./promise/Session.ts"
export { TroupeError } from "./backend/TroupeError.ts"
export type { TurnOutcome } from "./domain/TurnOutcome.ts"

export interface Troupe extends AsyncDisposable {
  readonly createSession: (request?: CreateSession) => Promise<Session>
  /** A session that exists, also from an earlier run on the same data dir. */
  readonly session: (id: string) => Promise<Session>
  /** Newest first; `next` is the `cursor` of the next page. */
  readonly listSessions: (query?: {
    readonly limit?: number
    readonly cursor?: string | null
    readonly state?: SessionState | "open"
  }) => Promise<SessionPage>
  /** One prompt through a bare `claude -p`. A failure is a result. */
  readonly run: (prompt: string, options?: Omit<RunPrompt, "prompt">) => Promise<RunResult>
  readonly storeFile: (name: string, content: Uint8Array | AsyncIterable<Uint8Array>) => Promise<StoredFile>
  readonly agents: () => Promise<ReadonlyArray<AgentStatus>>
  /** The conversations that an agent has, newest first, for `threadId` of a new session; 50 at a time by default. */
  readonly threads: (
    agent: string,
    query?: { readonly cwd?: string; readonly cursor?: string | null; readonly limit?: number }
  ) => Promise<ThreadPage>
  /** The facts that reviews have learned for this app, oldest first. */
  readonly memories: () => Promise<ReadonlyArray<LearnedFact>>
  /** The ways of working that reviews have learned for this app, by name. */
  readonly skills: () => Promise<ReadonlyArray<LearnedSkill>>
  /**
   * The HTTP API of this Troupe for a server that is built of web `Request` and `Response`, such as a route of Next.js. Answers
   * until `close`. Not where this Troupe is itself on a server.
   */
  readonly handler: (options?: HandlerOptions) => FetchHandler
  /** The same for Node's `(request, response)`, as Express, Fastify's `raw` and `node:http` have it. */
  readonly nodeHandler: (options?: HandlerOptions) => NodeHandler
  readonly sweep: () => Promise<{ readonly softClosed: number; readonly hardDeleted: number }>
  /** The same Troupe for another app, which sees only its own sessions. Not over HTTP, where the token says whose it is. */
  readonly as: (app: string) => Troupe
  /** Lets running turns finish for `drainMillis`, retires every process, and releases the data dir. A server goes on. */
  readonly close: () => Promise<void>
}

const runNames: NamesOf<Omit<RunPrompt, "prompt">> = {
  model: true,
  system: true,
  files: true,
  permissions: true,
  timeoutMillis: true,
  keyed: true
}

/** Rejects with a `TroupeError` that says what to do. Recovery first settles what a killed process left behind. */
export const openTroupe = async (options: TroupeOptions | RemoteOptions = {}): Promise<Troupe> => {
  if ("url" in options && options.url !== undefined) return openRemote(options)
  checkOptions(options, optionNames)
  return openEmbedded(options as TroupeOptions)
}

const openRemote = async (options: RemoteOptions): Promise<Troupe> => {
  checkOptions(options, { url: true, token: true } satisfies NamesOf<RemoteOptions>)
  const { notOverHttp, open } = await import("./backend/remoteBackend.ts")
  return troupeOf(await open(options), () => {
    throw notOverHttp("A handler", "The server at the url answers requests itself.")
  })
}

const openEmbedded = async (options: TroupeOptions): Promise<Troupe> => {
  const owner = appNamed(options.app ?? "embedded")
  const { adminToken, reviews, settings } = readOptions(options)
  // Without one nobody has it; the one in the data dir is left to a server.
  const token = Option.getOrElse(adminToken, () => Redacted.make(randomBytes(32).toString("hex")))
  const embedded = await Embedded.open(settings, token, {
    drainMillis: options.drainMillis ?? 5_000,
    reviews: { ...reviews, ...hostedReviews(options.reviews) },
    logging: loggingTo(options.log)
  })
  const handlers = Handler.make({ ...embedded, appNamed, maxBodyBytes: settings.limits.maxBodyBytes })
  return troupeOf(EmbeddedBackend.make(embedded, { _tag: "App", app: owner }), () => handlers)
}

const troupeOf = (backend: Backend, handlers: () => Handlers): Troupe => ({
  createSession: async (request = {}) => {
    checkOptions(request, createSessionNames)
    checkCreation(request)
    return makeSession(backend, await backend.create(request))
  },
  session: async (id) => makeSession(backend, await backend.session(id).view()),
  listSessions: async (query = {}) => {
    checkOptions(query, { limit: true, cursor: true, state: true })
    const { cursor = null, limit = 50, state } = query
    return backend.list({ limit, cursor, state: state ?? null })
  },
  run: async (prompt, options) => {
    checkOptions(options, runNames)
    return backend.run({ ...options, prompt })
  },
  storeFile: (name, content) => backend.storeFile(name, content),
  agents: () => backend.agents(),
  threads: async (agent, query = {}) => {
    checkOptions(query, { cwd: true, cursor: true, limit: true })
    const { cursor = null, cwd = null, limit = 50 } = query
    return backend.threads(agent, { cwd, cursor, limit })
  },
  memories: () => backend.memories(),
  skills: () => backend.skills(),
  handler: (options) => handlers().fetch(options),
  nodeHandler: (options) => handlers().node(options),
  sweep: () => backend.sweep(),
  as: (other) => troupeOf(backend.as(other), handlers),
  close: () => backend.close(),
  [Symbol.asyncDispose]: () => backend.close()
})

const loggingTo = (log: ((line: string) => void) | undefined): Layer.Layer<never> =>
  Logger.layer(log === undefined ? [] : [Logger.make((entry) => log(jsonLine(entry)))])
