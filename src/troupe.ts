/**
 * Troupe as Effect services and layers: what `import { Troupe } from "troupe"` names.
 *
 * `layer(settings, options)` gives every service here; `Http.layer` puts the API on a port in front of them.
 */
export { layer } from "./runtime.ts"
export type { Doors, RuntimeOptions } from "./runtime.ts"
export { ActorRefs } from "./actor/ActorRefs.ts"
export { Apps } from "./actor/Apps.ts"
export { Files } from "./actor/Files.ts"
export { Receipts } from "./actor/Receipts.ts"
export { Runs } from "./actor/Runs.ts"
export { Runtime } from "./actor/Runtime.ts"
export { RuntimeSettings } from "./actor/RuntimeSettings.ts"
export { Sessions } from "./actor/Sessions.ts"
export type { Caller, SessionPage, SubmitTurn, Turning } from "./actor/Sessions.ts"
export type { SessionActorRef, SessionRequest } from "./actor/Shown.ts"
export { Spending } from "./actor/Spending.ts"
export { Agents } from "./agent/Agents.ts"
export type { AgentView, Diagnosis } from "./agent/Agents.ts"
export * as Acp from "./domain/Acp.ts"
export { AppName, FileId, SessionId } from "./domain/Ids.ts"
export * as Refusal from "./domain/Refusal.ts"
export type { AuditRecord, CreateSession, SessionView, StoredEvent } from "./domain/Session.ts"
export { defaultLimits } from "./domain/Settings.ts"
export type { AgentSpec, Limits, RunSpec, Settings } from "./domain/Settings.ts"
export type { Failure, Message, TurnRecord, TurnResult, Usage } from "./domain/Turn.ts"
export * as Http from "./http/Http.ts"
