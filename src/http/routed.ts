/** The API's routes as one effect that answers requests, with the routes that others add. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer } from "effect"
import { HttpRouter } from "effect/http"
import { HttpApiBuilder, OpenApi } from "effect/http-api"
import type { Apps } from "../services/Apps.ts"
import type { Files } from "../services/Files.ts"
import type { Idempotency } from "../services/Idempotency.ts"
import type { OneShotRuns } from "../services/OneShotRuns.ts"
import type { Operator } from "../services/Operator.ts"
import type { ReviewResults } from "../services/ReviewResults.ts"
import type { Sessions } from "../services/Sessions.ts"
import type { Threads } from "../services/Threads.ts"
import type { UsageReport } from "../services/UsageReport.ts"
import { Api } from "./Api.ts"
import * as Docs from "./docs.ts"
import * as Admin from "./handlers/admin.ts"
import * as AgentsHandlers from "./handlers/agents.ts"
import * as Approvals from "./handlers/approvals.ts"
import * as Auth from "./handlers/auth.ts"
import * as FilesHandlers from "./handlers/files.ts"
import * as Health from "./handlers/health.ts"
import * as ReviewsHandlers from "./handlers/reviews.ts"
import * as Run from "./handlers/run.ts"
import * as SessionsHandlers from "./handlers/sessions.ts"
import * as Turns from "./handlers/turns.ts"
import { maxParamLength } from "./problemOfCause.ts"
import type { Streams } from "./Streams.ts"

/** The API, its OpenAPI document and the page that shows it. */
export const apiRoutes = (prefix: string) => {
  const api = prefix === "" ? Api : Api.annotate(OpenApi.Servers, [{ url: prefix }])
  return Layer.mergeAll(HttpApiBuilder.layer(api, { openapiPath: "/openapi.json" }), Docs.layer).pipe(
    Layer.provide(handlers)
  )
}

const handlers = Layer.mergeAll(
  SessionsHandlers.layer,
  Turns.layer,
  Approvals.layer,
  Run.layer,
  FilesHandlers.layer,
  AgentsHandlers.layer,
  ReviewsHandlers.layer,
  Admin.layer,
  Health.layer
).pipe(Layer.provide(Auth.layer), Layer.provideMerge(NodeHttpServer.layerHttpServices))

/** The services that the routes call. */
export type HttpServices =
  | Apps
  | Files
  | Idempotency
  | ReviewResults
  | OneShotRuns
  | Operator
  | Sessions
  | Threads
  | UsageReport

/** Routes behind the same middleware as the API, such as the dashboard's. */
export type ExtraRoutes = Layer.Layer<never, never, HttpRouter.HttpRouter | Streams | HttpServices>

/** `prefix`: where the addresses begin, as the documents of the API have it. The requests come without it. */
export const routed = (prefix: string, extra: ExtraRoutes) =>
  HttpRouter.toHttpEffect(Layer.merge(apiRoutes(prefix), extra)).pipe(
    Effect.provideService(HttpRouter.RouterConfig, { maxParamLength }),
    // A router of its own, also within another one.
    Effect.provideService(Layer.CurrentMemoMap, Layer.makeMemoMapUnsafe())
  )
