/**
 * A server on a real port over scripted services: the ids of sessions and the texts of prompts decide the answers, so the
 * tests of this folder test the wire and nothing else.
 */
import { Context, Deferred, Effect, Layer, Logger, Option, Queue, Redacted, Stream } from "effect"
import { HttpServer } from "effect/http"
import { PrometheusMetrics } from "effect/observability"
import { inspect } from "node:util"
import { AgentDirectory } from "../../src/services/AgentDirectory.ts"
import type { RunResult } from "../../src/services/OneShotRuns.ts"
import { Apps } from "../../src/services/Apps.ts"
import { Files } from "../../src/services/Files.ts"
import { Idempotency } from "../../src/services/Idempotency.ts"
import { ReviewResults } from "../../src/services/ReviewResults.ts"
import { OneShotRuns } from "../../src/services/OneShotRuns.ts"
import { Operator } from "../../src/services/Operator.ts"
import * as Metrics from "../../src/runtime/Metrics.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import type { Caller } from "../../src/services/Sessions.ts"
import { UsageReport } from "../../src/services/UsageReport.ts"
import { troupeMessage, updateMessage } from "../../src/domain/Acp.ts"
import { AppName, FileId, SessionId } from "../../src/domain/Ids.ts"
import * as Refusal from "../../src/domain/Refusal.ts"
import type { SessionView, StoredEvent } from "../../src/domain/Session.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import { noUsage } from "../../src/domain/Turn.ts"
import type { TurnRecord, TurnResult, TurnStatus } from "../../src/domain/Turn.ts"
import * as Http from "../../src/http/Http.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"

export const appToken = "trp_the-app"
export const otherToken = "trp_another-app"
export const adminToken = "the-admin"
export const secret = "sk-this-must-not-leave-the-server"

const callers: Readonly<Record<string, Caller>> = {
  [appToken]: { _tag: "App", app: AppName.make("the-app") },
  [otherToken]: { _tag: "App", app: AppName.make("another-app") },
  [adminToken]: { _tag: "Admin" }
}

export const sessionView = (id: string): SessionView => ({
  id: SessionId.make(id),
  app: AppName.make("the-app"),
  agent: "demo",
  cwd: "/srv/work",
  ownsCwd: true,
  model: null,
  systemPrompt: null,
  permissions: "deny",
  meta: { ticket: "T-1", nested: { camelCase: [1, null] } },
  state: "idle",
  substate: "idle.asleep",
  turnCount: 3,
  createdAt: 1_700_000_000_123,
  lastActivityAt: 1_700_000_001_000,
  lastTurnAt: 1_700_000_001_000,
  closedAt: null,
  threadId: "thread-1",
  restarts: 1,
  usage: { ...noUsage, inputTokens: 7, totalTokens: 7 },
  cost: { amount: 0.25, currency: "USD" },
  process: { state: "up", pid: 4242, restarts: 1 },
  parked: null
})

const turnRecord = (session: string, index: number, status: TurnStatus): TurnRecord => ({
  session: SessionId.make(session),
  index,
  kind: "prompt",
  status,
  prompt: "hello",
  submittedAt: 1_700_000_000_000,
  endedAt: status === "running" ? null : 1_700_000_000_250,
  stopReason: status === "completed" ? "end_turn" : null,
  usage: { inputTokens: 1, cachedInputTokens: 2, outputTokens: 3, reasoningTokens: 4, totalTokens: 10 },
  failure: null,
  interrupted: false,
  toolIterations: 2,
  threadId: "thread-1",
  agentTurnId: "agent-turn-1",
  contextLost: false
})

export const chunk = (session: string, text: string) =>
  updateMessage(session, { sessionUpdate: "agent_message_chunk", content: { type: "text", text } })

const ending = (index: number, stopReason: string) => ({ jsonrpc: "2.0", id: index, result: { stopReason } }) as const

export const storedEvents = (session: string, texts: ReadonlyArray<string>): ReadonlyArray<StoredEvent> =>
  [
    troupeMessage("state", { to: "turning.running" }),
    ...texts.map((text) => chunk(session, text)),
    ending(1, "end_turn")
  ].map((message, i) => ({ session: SessionId.make(session), seq: i + 1, turn: 1, at: 1_700_000_000_000 + i, message }))

const resultOf = (session: string, index: number, prompt: string): TurnResult => {
  const events = [chunk(session, "Hello"), ending(index, "end_turn")]
  const messages = [{ role: "assistant", content: "Hello" }] as const
  const as = (status: TurnStatus, patch: Partial<TurnRecord> = {}): TurnResult => ({
    turn: { ...turnRecord(session, index, status), ...patch },
    finalText: "Hello",
    events,
    messages,
    compacted: false,
    context: null,
    handed: true,
    acceptedWithoutEnd: false
  })
  switch (prompt) {
    case "interrupted":
      return as("interrupted", { interrupted: true })
    case "crash":
      return as("failed", {
        failure: { class: "crash", message: "The agent's process ended with code 1.", stderr: "panic: at the disco" }
      })
    case "lost":
      return as("failed", { failure: { class: "not_delivered", message: "Troupe stopped first. Send it again." } })
    case "unknown outcome":
      return as("failed", { failure: { class: "outcome_unknown", message: "Look before you send it again." } })
    case "late":
      return as("timed_out", { failure: { class: "timeout", message: "The turn took longer than 1 s." } })
    case "no slot":
      return as("failed", { failure: { class: "pool_full", message: "All 8 agent processes are at work." } })
    case "forgetful":
      return as("completed", { contextLost: true })
    default:
      return as("completed")
  }
}

/** What the tests can inspect and control. */
export interface Script {
  readonly submitted: Array<{
    readonly caller: Caller
    readonly prompt: string
    readonly timeoutMillis: number | undefined
  }>
  readonly interrupted: Array<string>
  readonly stored: Array<{ readonly name: string; readonly bytes: number }>
  /** Ends the turn of the prompt `wait for it`. */
  readonly release: Deferred.Deferred<void>
  /** The live events of `ses_live`, which follow the stored ones. */
  readonly live: Queue.Queue<StoredEvent>
  /** Every line of the server's log, with its annotations and causes, as text. */
  readonly log: Array<string>
  /** The number of events that were read from `ses_flood`, which never ends. */
  flooded: number
}

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

export const makeScript = Effect.gen(function* () {
  const release = yield* Deferred.make<void>()
  const script: Script = {
    submitted: [],
    interrupted: [],
    stored: [],
    release,
    live: yield* Queue.bounded<StoredEvent>(64),
    log: [],
    flooded: 0
  }
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

  const sessions = Layer.mock(Sessions)({
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
      script.submitted.push({ caller, prompt: turn.prompt, timeoutMillis: turn.timeoutMillis })
      const result = resultOf(id, 1, turn.prompt)
      const waits = turn.prompt === "wait for it"
      return {
        session: SessionId.make(id),
        index: 1,
        events:
          turn.prompt === "break"
            ? Stream.concat(
                Stream.fromIterable(storedEvents(id, ["one"]).slice(0, 2)),
                Stream.fail(new Refusal.Unavailable({ operation: "read events", cause: new Error(secret) }))
              )
            : waits
              ? Stream.concat(
                  Stream.fromIterable(storedEvents(id, ["one"]).slice(0, 2)),
                  Stream.drain(Stream.fromEffect(Deferred.await(release)))
                )
              : Stream.fromIterable(storedEvents(id, ["one", "two\nlines"])),
        result: waits ? Effect.as(Deferred.await(release), result) : Effect.succeed(result),
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
    events: (caller, id, after) =>
      Effect.map(findSession(caller, id), () => {
        if (id === "ses_flood") return flood
        const stored = Stream.fromIterable(storedEvents(id, ["one", "two"]).filter(({ seq }) => seq > after))
        return id === "ses_live" ? Stream.concat(stored, Stream.fromQueue(script.live)) : stored
      }),
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
    unpark: (id) => Effect.map(findSession({ _tag: "Admin" }, id), () => id === "ses_parked")
  })

  const services = Layer.mergeAll(
    sessions,
    Layer.mock(Apps)({
      authenticate: (token) => Effect.succeed(Option.fromNullishOr(callers[Redacted.value(token)])),
      mint: (name) =>
        name === "taken"
          ? Effect.fail(new Refusal.AppExists({ name }))
          : Effect.succeed({ name: AppName.make(name), token: Redacted.make("trp_new") }),
      revoke: (name) => (name === "nobody" ? Effect.fail(new Refusal.AppNotFound({ name })) : Effect.void),
      list: Effect.succeed([
        { name: AppName.make("the-app"), createdAt: 1_700_000_000_123, revokedAt: null, openSessions: 2 }
      ])
    }),
    Layer.mock(Files)({
      maxFileBytes: defaultLimits.maxFileBytes,
      store: (app, name, content) =>
        Stream.runFold(
          content,
          () => 0,
          (size, bytes) => size + bytes.byteLength
        ).pipe(
          Effect.flatMap((bytes) =>
            bytes > defaultLimits.maxFileBytes
              ? Effect.fail(new Refusal.FileTooLarge({ limitBytes: defaultLimits.maxFileBytes }))
              : Effect.sync(() => {
                  script.stored.push({ name, bytes })
                  return { id: FileId.make(`file_${app}`), name, size: bytes, path: "/srv/files/x" }
                })
          )
        )
    }),
    Layer.mock(OneShotRuns)({
      run: (_app, { prompt }) =>
        Effect.suspend((): Effect.Effect<RunResult, Refusal.PoolFull | Refusal.FileNotFound> => {
          script.submitted.push({ caller: { _tag: "Admin" }, prompt, timeoutMillis: undefined })
          switch (prompt) {
            case "json":
              return Effect.succeed({
                ok: true,
                result: { answer: [42, null] },
                durationMillis: 12,
                stopReason: "end_turn"
              })
            case "fail":
              return Effect.succeed({
                ok: false,
                error: "It said no.",
                stderr: "no",
                durationMillis: 3,
                stopReason: "error"
              })
            case "late":
              return Effect.succeed({
                ok: false,
                error: "Too late.",
                stderr: "",
                durationMillis: 9,
                stopReason: "timeout"
              })
            case "full":
              return Effect.fail(new Refusal.PoolFull({ what: "processes", limit: 8, retryAfterSeconds: 5 }))
            case "no file":
              return Effect.fail(new Refusal.FileNotFound({ id: "file_x" }))
            default:
              return Effect.succeed({ ok: true, result: `echo: ${prompt}`, durationMillis: 12, stopReason: "end_turn" })
          }
        })
    }),
    Layer.mock(ReviewResults)({
      ofSession: () => Effect.succeed([]),
      memories: () => Effect.succeed([]),
      skills: () => Effect.succeed([])
    }),
    Layer.mock(Operator)({
      settings: { dataDir: ":memory:", limits: defaultLimits, agents: {}, defaultAgent: null, run: {} },
      ready: Effect.succeed({ ready: false, reasons: ["draining: no new work is taken"] }),
      sweep: Effect.succeed({ softClosed: 1, hardDeleted: 2 }),
      metrics: Effect.andThen(
        Metrics.setCounts({
          sessions: { idle: 1, turning: 2, retiring: 0, closed: 5 },
          processes: 3,
          maxProcesses: 8,
          waiting: 1
        }),
        PrometheusMetrics.format()
      )
    }),
    Layer.mock(UsageReport)({
      between: (caller, from, to) =>
        Effect.succeed([
          {
            day: `${from}..${to}`,
            app: AppName.make(caller._tag === "App" ? caller.app : "everyone"),
            agent: "demo",
            turns: 2,
            usage: { ...noUsage, inputTokens: 5, totalTokens: 5 },
            costs: [{ amount: 0.1, currency: "USD" }]
          }
        ])
    }),
    Layer.mock(AgentDirectory)({
      list: Effect.succeed([
        {
          name: "demo",
          protocol: "acp",
          available: true,
          version: "1.0.0",
          capabilities: { resume: true, steer: false, compact: false, images: false },
          hint: null
        }
      ])
    }),
    // The real service: a scripted one would prove little about idempotency.
    Idempotency.layer.pipe(Layer.provide(SqliteLedger.layer(":memory:")))
  )
  return { script, services }
})

export const options: Http.HttpOptions = {
  host: "127.0.0.1",
  port: 0,
  allowedHosts: ["localhost", "127.0.0.1", "[::1]"],
  allowedOrigins: ["https://console.example"],
  maxBodyBytes: 64 * 1024
}

/** The server is closed with the scope. */
export const open = (patch: Partial<Http.HttpOptions> = {}) =>
  Effect.gen(function* () {
    const { services, script } = yield* makeScript
    const scriptLogger = Logger.make((entry) =>
      script.log.push(inspect(Logger.formatStructured.log(entry), { depth: 6 }))
    )
    const context = yield* Layer.build(Http.layer({ ...options, ...patch }).pipe(Layer.provide(services))).pipe(
      Effect.provide(Logger.layer([scriptLogger]))
    )
    const { address } = Context.get(context, HttpServer.HttpServer)
    return { script, ...callsTo(HttpServer.formatAddress(address)) }
  })

export interface CallOptions {
  readonly method?: string
  readonly token?: string | null
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look at any part of a body
  readonly json: any
}

/** Clients of a server: `call` returns whole answers, `ask` returns the response of a stream. */
export const callsTo = (base: string) => {
  const request = (path: string, { body, headers, method, signal, token = appToken }: CallOptions = {}) =>
    fetch(`${base}${path}`, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined || body instanceof FormData ? {} : { "content-type": "application/json" }),
        ...headers
      },
      ...(body === undefined
        ? {}
        : body instanceof ReadableStream
          ? { body, duplex: "half" as const }
          : { body: typeof body === "string" || body instanceof FormData ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal })
    })
  const call = (path: string, options?: CallOptions) =>
    Effect.promise(async (): Promise<Answer> => {
      const response = await request(path, options)
      const text = await response.text()
      const json = response.headers.get("content-type")?.includes("json") === true ? JSON.parse(text) : undefined
      return { status: response.status, headers: response.headers, text, json }
    })
  return { base, call, ask: (path: string, options?: CallOptions) => Effect.promise(() => request(path, options)) }
}
