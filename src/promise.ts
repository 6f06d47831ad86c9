/**
 * `troupe/promise`: sessions in your own process, with plain promises. The same runtime as the server's, without a port.
 *
 *     await using troupe = await openTroupe({ dataDir: ":memory:" })
 *     const session = await troupe.createSession({ agent: "demo" })
 *     for await (const event of session.turn("hello")) console.log(event)
 */
import "./needsNode.ts"
import { Effect, Logger, Redacted, Schema, Stream } from "effect"
import type { Layer } from "effect"
import { randomBytes } from "node:crypto"
import { resolve } from "node:path"
import { Files } from "./services/Files.ts"
import type { StoredFile } from "./services/Files.ts"
import { ReviewResults } from "./services/ReviewResults.ts"
import { OneShotRuns } from "./services/OneShotRuns.ts"
import type { RunPrompt, RunResult } from "./services/OneShotRuns.ts"
import { Operator } from "./services/Operator.ts"
import { Sessions } from "./services/Sessions.ts"
import type { Caller, SessionPage } from "./services/Sessions.ts"
import { AgentDirectory } from "./services/AgentDirectory.ts"
import { Threads } from "./services/Threads.ts"
import type { ThreadPage } from "./services/Threads.ts"
import type { McpServerSpec } from "./domain/McpServer.ts"
import type { AgentView } from "./services/AgentDirectory.ts"
import { AppName } from "./domain/Ids.ts"
import { jsonLine } from "./domain/logLine.ts"
import type { CreateSession, SessionState } from "./domain/Session.ts"
import type { Memory, Skill } from "./domain/Review.ts"
import { AgentSpec, defaultLimits, RunSpec } from "./domain/Settings.ts"
import type { Limits } from "./domain/Settings.ts"
import { checkOptions, keysOf } from "./promise/checkOptions.ts"
import type { NamesOf } from "./promise/checkOptions.ts"
import { createSessionNames, mcpServerNames } from "./promise/sessionNames.ts"
import * as Embedded from "./promise/Embedded.ts"
import { reviewingNames, reviewOptions } from "./promise/Reviewing.ts"
import type { Reviewing } from "./promise/Reviewing.ts"
import { makeSession } from "./promise/Session.ts"
import type { Session } from "./promise/Session.ts"
import { TroupeError } from "./promise/TroupeError.ts"

export type { SessionActorRef, SessionRequest } from "./services/MirrorActor.ts"
export type { AgentView } from "./services/AgentDirectory.ts"
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
  Choices,
  CreateSession,
  ForkSession,
  SessionSettings,
  SessionView,
  StoredEvent
} from "./domain/Session.ts"
export type { McpServer, McpServerSpec } from "./domain/McpServer.ts"
export type { ContentBlock } from "./domain/PromptContent.ts"
export type { ThreadPage } from "./services/Threads.ts"
export type { StreamedEvent, StreamedMessage, TurnMessage } from "./domain/events/StreamedMessage.ts"
export type { StreamedUpdate } from "./domain/events/StreamedUpdate.ts"
export type { ReviewRequest } from "./wiring.ts"
export type { Memory, ReviewRecord, Skill } from "./domain/Review.ts"
export type { Reviewing } from "./promise/Reviewing.ts"
export type { AgentSpec, Limits, RunSpec } from "./domain/Settings.ts"
export type { Message, Usage } from "./domain/Turn.ts"
export type { ConversationOptions, ConversationResult } from "./promise/Conversation.ts"
export type { Session, Turn, TurnOptions } from "./promise/Session.ts"
export { TroupeError } from "./promise/TroupeError.ts"
export type { TurnOutcome } from "./domain/TurnOutcome.ts"

export interface TroupeOptions {
  /** Where everything is stored, for one process at a time; `:memory:` is lost with the process. Default: `./.troupe`. */
  readonly dataDir?: string
  /** Agents by name, in addition to those that are found on this machine. */
  readonly agents?: Readonly<Record<string, AgentSpec>>
  /** Default: `codex` where it is found, else `claude`, else `demo`. */
  readonly defaultAgent?: string
  /** MCP servers that sessions may name. */
  readonly mcpServers?: Readonly<Record<string, McpServerSpec>>
  /** What `run` starts; default: `claude`. */
  readonly run?: RunSpec
  /** Limits that differ from the defaults, in milliseconds and bytes. */
  readonly limits?: Partial<Limits>
  /**
   * Background reviews, which learn from conversations. Off by default, because they call a model; `{}` turns them on: every
   * 10 turns, by Troupe itself, on the agent's account.
   */
  readonly reviews?: Reviewing
  /** The app that owns the sessions. Default: `embedded`. */
  readonly app?: string
  /** How long `close` lets running turns finish. Default: 5000. */
  readonly drainMillis?: number
  /** Receives each line that a server would log, as JSON. Default: nothing is logged. */
  readonly log?: (line: string) => void
}

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
  readonly agents: () => Promise<ReadonlyArray<AgentView>>
  /** The conversations that an agent has, newest first, for `threadId` of a new session; 50 at a time by default. */
  readonly threads: (
    agent: string,
    query?: { readonly cwd?: string; readonly cursor?: string | null; readonly limit?: number }
  ) => Promise<ThreadPage>
  /** The facts that reviews have learned for this app, oldest first. */
  readonly memories: () => Promise<ReadonlyArray<Memory>>
  /** The ways of working that reviews have learned for this app, by name. */
  readonly skills: () => Promise<ReadonlyArray<Skill>>
  readonly sweep: () => Promise<{ readonly softClosed: number; readonly hardDeleted: number }>
  /** The same Troupe for another app, which sees only its own sessions. */
  readonly as: (app: string) => Troupe
  /** Lets running turns finish for `drainMillis`, retires every process, and releases the data dir. */
  readonly close: () => Promise<void>
}

const optionNames: NamesOf<TroupeOptions> = {
  dataDir: true,
  agents: { each: keysOf(AgentSpec.fields) },
  defaultAgent: true,
  mcpServers: { each: mcpServerNames },
  run: keysOf(RunSpec.fields),
  limits: keysOf(defaultLimits),
  reviews: reviewingNames,
  app: true,
  drainMillis: true,
  log: true
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
export const openTroupe = async (options: TroupeOptions = {}): Promise<Troupe> => {
  checkOptions(options, optionNames)
  const {
    agents = {},
    app = "embedded",
    dataDir = ".troupe",
    defaultAgent = null,
    limits,
    mcpServers = {},
    run = {}
  } = options
  const caller = callerOf(app)
  const settings = {
    dataDir: dataDir === ":memory:" ? dataDir : resolve(dataDir),
    limits: { ...defaultLimits, ...limits },
    agents,
    defaultAgent,
    mcpServers,
    run
  }
  // Nothing in this process checks an admin token; the one in the data dir is left to a server.
  const adminToken = Redacted.make(randomBytes(32).toString("hex"))
  const embedded = await Embedded.open(settings, adminToken, {
    drainMillis: options.drainMillis ?? 5_000,
    reviews: reviewOptions(options.reviews),
    logging: loggingTo(options.log)
  })
  return troupeOf(embedded, caller)
}

type AppCaller = Extract<Caller, { readonly _tag: "App" }>

const troupeOf = (embedded: Embedded.Embedded, caller: AppCaller): Troupe => {
  const { close, run } = embedded
  const { app } = caller
  const sessions = <A, E>(use: (sessions: Sessions["Service"]) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(Sessions, use))
  return {
    createSession: async (request = {}) => {
      checkOptions(request, createSessionNames)
      return makeSession(embedded, caller, await sessions((service) => service.create(app, request)))
    },
    session: async (id) => makeSession(embedded, caller, await sessions((service) => service.get(caller, id))),
    listSessions: async (query = {}) => {
      checkOptions(query, { limit: true, cursor: true, state: true })
      const { cursor = null, limit = 50, state } = query
      return sessions((service) => service.list(caller, { limit, cursor, state: state ?? null }))
    },
    run: async (prompt, options) => {
      checkOptions(options, runNames)
      return run(Effect.flatMap(OneShotRuns, (runs) => runs.run(app, { ...options, prompt })))
    },
    storeFile: (name, content) => run(Effect.flatMap(Files, (files) => files.store(app, name, streamOf(content)))),
    agents: () => run(Effect.flatMap(AgentDirectory, ({ list }) => list)),
    threads: async (agent, query = {}) => {
      checkOptions(query, { cwd: true, cursor: true, limit: true })
      const { cursor = null, cwd = null, limit = 50 } = query
      return run(Effect.flatMap(Threads, ({ list }) => list(caller, agent, { cwd, cursor, limit })))
    },
    memories: () => run(Effect.flatMap(ReviewResults, ({ memories }) => memories(app))),
    skills: () => run(Effect.flatMap(ReviewResults, ({ skills }) => skills(app))),
    sweep: () => run(Effect.flatMap(Operator, ({ sweep }) => sweep)),
    as: (other) => troupeOf(embedded, callerOf(other)),
    close,
    [Symbol.asyncDispose]: close
  }
}

const isAppName = Schema.is(AppName)

const callerOf = (app: string): AppCaller => {
  if (isAppName(app)) return { _tag: "App", app }
  const message = `app is ${JSON.stringify(app)}: it takes 1 to 63 characters of a-z, 0-9, '.', '_' or '-', beginning with a letter or digit.`
  throw new TroupeError({ code: "invalid_request", status: 400, message })
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

const loggingTo = (log: ((line: string) => void) | undefined): Layer.Layer<never> =>
  Logger.layer(log === undefined ? [] : [Logger.make((entry) => log(jsonLine(entry)))])
