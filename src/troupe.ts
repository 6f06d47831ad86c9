/**
 * Troupe as Effect services and layers: the contents of `import { Troupe } from "troupe"`.
 *
 * `server(options)` is a whole server with its dashboard, configured like `troupe.config.json`. `layer(settings, options)`
 * provides every service here; `Http.layer` serves the API in front of them on a port, and `Http.layerWith` adds routes to it,
 * such as `Inspect.routes` (the dashboard), which need `Inspect.layer`, and `Doors.routes` (`/acp`, `/mcp`, `/v1`). `Http.routes(options)` adds the API to the
 * `HttpRouter` of a program of yours.
 */
export { BadConfiguration, server } from "./server.ts"
export type { ServerOptions } from "./server.ts"
export { layer } from "./wiring.ts"
export type { PublicServices, ReviewOptions, ReviewRequest, RuntimeOptions } from "./wiring.ts"
export { SessionActorRefs } from "./services/SessionActorRefs.ts"
export { Apps } from "./services/Apps.ts"
export { Files } from "./services/Files.ts"
export { Idempotency } from "./services/Idempotency.ts"
export { Inspection } from "./services/Inspection.ts"
export { ReviewResults } from "./services/ReviewResults.ts"
export { OneShotRuns } from "./services/OneShotRuns.ts"
export { Operator } from "./services/Operator.ts"
export { RuntimeSettings } from "./runtime/RuntimeSettings.ts"
export { Sessions } from "./services/Sessions.ts"
export type { Caller, SessionPage, SubmitTurn, Turning } from "./services/Sessions.ts"
export type { SessionActorRef, SessionRequest } from "./services/MirrorActor.ts"
export { UsageReport } from "./services/UsageReport.ts"
export { StoreFailed, StoreRefused } from "./review/ReviewStore.ts"
export type { ReviewStore } from "./review/ReviewStore.ts"
export { AgentDirectory } from "./services/AgentDirectory.ts"
export type { AgentView, Diagnosis } from "./services/AgentDirectory.ts"
export * as Acp from "./domain/Acp.ts"
export type { StreamedEvent, StreamedMessage } from "./domain/events/StreamedMessage.ts"
export type { StreamedUpdate } from "./domain/events/StreamedUpdate.ts"
export { AppName, FileId, SessionId } from "./domain/Ids.ts"
export type { Memory, ReviewRecord, Skill } from "./domain/Review.ts"
export * as Refusal from "./domain/Refusal.ts"
export type { AuditRecord, CreateSession, SessionView, StoredEvent } from "./domain/Session.ts"
export { defaultLimits } from "./domain/Settings.ts"
export type { AgentSpec, Limits, RunSpec, Settings } from "./domain/Settings.ts"
export type { Failure, Message, TurnRecord, TurnResult, Usage } from "./domain/Turn.ts"
export * as Doors from "./doors/Doors.ts"
export * as Http from "./http/Http.ts"
export * as Inspect from "./inspect/Inspect.ts"
