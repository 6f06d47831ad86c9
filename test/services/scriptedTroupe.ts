/**
 * A complete Troupe on a real port, with its dashboard, whose agents are scripted (`AgentScript.ts`): a real ledger file,
 * the real services, HTTP and SSE. Time is the real one. For what no agent of the catalog can be made to do.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Context, Effect, Layer, Redacted } from "effect"
import { HttpServer } from "effect/http"
import { Agents } from "../../src/agent/Agents.ts"
import { OneShot } from "../../src/agent/OneShot.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import * as Http from "../../src/http/Http.ts"
import { loopbackNames } from "../../src/http/originCheck.ts"
import * as Inspect from "../../src/inspect/Inspect.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { Reviews } from "../../src/review/Reviews.ts"
import { RuntimeSettings } from "../../src/runtime/RuntimeSettings.ts"
import * as SuspensionWatch from "../../src/runtime/suspensionWatch.ts"
import { AgentDirectory } from "../../src/services/AgentDirectory.ts"
import { Apps } from "../../src/services/Apps.ts"
import { Files } from "../../src/services/Files.ts"
import { Idempotency } from "../../src/services/Idempotency.ts"
import { Inspection } from "../../src/services/Inspection.ts"
import { layerWith } from "../../src/services/layer.ts"
import { OneShotRuns } from "../../src/services/OneShotRuns.ts"
import { ReviewResults } from "../../src/services/ReviewResults.ts"
import { Threads } from "../../src/services/Threads.ts"
import { UsageReport } from "../../src/services/UsageReport.ts"
import { callsTo } from "../http/callsTo.ts"
import { scratch } from "../ledger/samples.ts"
import { AgentScript } from "./AgentScript.ts"
import { scriptLayer } from "./harness.ts"
import * as ScriptedCommandHandler from "./ScriptedCommandHandler.ts"

export const adminToken = "an-admin-token-for-tests"

/** Closed with the scope. */
export const openScripted = Effect.gen(function* () {
  const dataDir = yield* scratch
  const settings = { dataDir, limits: defaultLimits, agents: {}, defaultAgent: "demo", run: {} }
  // Time is real here.
  const script = Layer.effectDiscard(Effect.map(AgentScript, (agents) => (agents.exitsWhenAsked = true)))
  const services = yield* Layer.build(
    Layer.mergeAll(
      AgentDirectory.layer,
      Apps.layer({ adminToken: Redacted.make(adminToken) }),
      Idempotency.layer,
      Inspection.layer,
      OneShotRuns.layer,
      ReviewResults.layer,
      Threads.layer,
      UsageReport.layer
    ).pipe(
      Layer.provideMerge(layerWith(ScriptedCommandHandler.layer)),
      Layer.provideMerge(Reviews.layer()),
      Layer.provideMerge(Layer.mergeAll(Files.layer, Agents.layer(settings), OneShot.layer(settings.run))),
      Layer.provideMerge(
        Layer.mergeAll(
          Layer.succeed(RuntimeSettings, settings),
          SqliteLedger.layer(`${dataDir}/ledger.sqlite`),
          Processes.layer,
          SuspensionWatch.layer,
          NodeServices.layer,
          Layer.provideMerge(script, scriptLayer)
        )
      ),
      Layer.fresh
    )
  ).pipe(Effect.orDie)
  const dashboard = yield* Layer.build(Inspect.layer.pipe(Layer.provideMerge(Layer.succeedContext(services))))
  const server = yield* Layer.build(
    Http.layerWith(
      { host: "127.0.0.1", port: 0, allowedHosts: loopbackNames, allowedOrigins: [], maxBodyBytes: 1024 * 1024 },
      Inspect.routes.pipe(Layer.provide(Layer.succeedContext(dashboard)))
    ).pipe(Layer.provide(Layer.succeedContext(services)))
  ).pipe(Effect.orDie)
  const base = HttpServer.formatAddress(Context.get(server, HttpServer.HttpServer).address)
  const { call } = callsTo(base)
  const { token } = yield* Effect.orDie(Context.get(services, Apps).mint("desk"))
  const app = Redacted.value(token)
  const as = (path: string, options: Parameters<typeof call>[1] = {}) => call(path, { token: app, ...options })
  return {
    base,
    token: app,
    call: as,
    /** A session whose agent has begun with the prompt, and has asked `count` questions by it. */
    asking: Effect.fnUntraced(function* (prompt = "question", count = 1) {
      const id: string = (yield* as("/sessions", { body: {} })).json.session_id
      yield* as(`/sessions/${id}/turn`, { body: { prompt, wait: false } })
      const { json } = yield* Effect.repeat(Effect.delay(as(`/sessions/${id}/approvals`), "20 millis"), {
        until: (answer) => answer.json.count === count
      })
      return { id, path: `/sessions/${id}/approvals/${json.approvals[0].approval_id}`, questions: json.approvals }
    }),
    /** What the agent said in the first turn, once that has ended. */
    said: (id: string): Effect.Effect<string> =>
      Effect.map(
        Effect.repeat(Effect.delay(as(`/sessions/${id}/turns/1`), "20 millis"), {
          until: ({ json }) => json.status === "completed"
        }),
        ({ json }) => json.final_text
      )
  }
})
