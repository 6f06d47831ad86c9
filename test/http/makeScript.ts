/** The scripted services of a server, and the script by which a test controls them. */
import { UnknownAgent } from "../../src/domain/Refusal.ts"
import { Threads } from "../../src/services/Threads.ts"
import { noCapabilities } from "../../src/agent/Capabilities.ts"
import { Deferred, Effect, Layer, Option, Queue, Redacted, Stream } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { AppName, FileId } from "../../src/domain/Ids.ts"
import * as Refusal from "../../src/domain/Refusal.ts"
import type { StoredEvent } from "../../src/domain/Session.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import { noUsage } from "../../src/domain/Turn.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import * as Metrics from "../../src/runtime/Metrics.ts"
import { Apps } from "../../src/services/Apps.ts"
import { Files } from "../../src/services/Files.ts"
import { Idempotency } from "../../src/services/Idempotency.ts"
import { OneShotRuns } from "../../src/services/OneShotRuns.ts"
import type { RunResult } from "../../src/services/OneShotRuns.ts"
import { Operator } from "../../src/services/Operator.ts"
import { ReviewResults } from "../../src/services/ReviewResults.ts"
import { UsageReport } from "../../src/services/UsageReport.ts"
import { callers } from "./callers.ts"
import type { Script } from "./Script.ts"
import { scriptedSessions } from "./scriptedSessions.ts"

export const makeScript = Effect.gen(function* () {
  const script: Script = {
    submitted: [],
    interrupted: [],
    stored: [],
    release: yield* Deferred.make<void>(),
    live: yield* Queue.bounded<StoredEvent>(64),
    log: [],
    flooded: 0
  }

  const services = Layer.mergeAll(
    scriptedSessions(script),
    Layer.mock(Apps)({
      authenticate: (token) => Effect.succeed(Option.fromNullishOr(callers[Redacted.value(token)])),
      mint: (name) =>
        name === "taken"
          ? Effect.fail(new Refusal.AppExists({ name }))
          : Effect.succeed({ name: AppName.make(name), token: Redacted.make("trp_new") }),
      limit: (name, bounds) =>
        name === "nobody"
          ? Effect.fail(new Refusal.AppNotFound({ name }))
          : Effect.succeed(Object.keys(bounds).length === 0 ? null : bounds),
      revoke: (name) => (name === "nobody" ? Effect.fail(new Refusal.AppNotFound({ name })) : Effect.void),
      list: Effect.succeed([
        { name: AppName.make("the-app"), createdAt: 1_700_000_000_123, revokedAt: null, openSessions: 2, bounds: null }
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
      circuits: Effect.succeed([]),
      agents: Effect.succeed([
        {
          name: "demo",
          protocol: "acp",
          available: true,
          version: "1.0.0",
          capabilities: { ...noCapabilities, resume: true },
          hint: null,
          circuit: { until: 1_700_000_030_500, reason: "codex: not found" },
          starts: { succeeded: 0, failed: 5, p50Millis: null, p95Millis: null, lastFailure: null }
        }
      ]),
      ready: Effect.succeed({ ready: false, reasons: ["draining: no new work is taken"] }),
      sweep: Effect.succeed({ softClosed: 1, hardDeleted: 2 }),
      metrics: Effect.andThen(
        Metrics.setCounts({
          sessions: { idle: 1, turning: 2, retiring: 0, closed: 5 },
          processes: 3,
          spares: 1,
          maxProcesses: 8,
          waiting: 1,
          ledgerAway: false,
          timers: 5,
          circuits: new Map([
            ["codex", true],
            ["demo", false]
          ])
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
    Layer.mock(Threads)({
      list: (_caller, agent) =>
        agent === "demo"
          ? Effect.succeed({
              threads: [{ id: "t1", cwd: "/srv", title: null, updatedAt: 1_700_000_000_123 }],
              next: null
            })
          : Effect.fail(new UnknownAgent({ name: agent }))
    }),
    // The real service: a scripted one would prove little about idempotency.
    Idempotency.layer.pipe(Layer.provide(SqliteLedger.layer(":memory:")))
  )
  return { script, services }
})
