/**
 * The typed client: every endpoint of the API as a function, made from the same contract as the server.
 *
 * Problems are typed failures (`Gone`, `Conflict`, `Busy`, …: the `_tag` for `Effect.catchTag`) with their `error` code,
 * `message` and `requestId`. A turn that failed is no failure but a result with `ok: false`. `events` and `streamTurn` go on
 * where a connection breaks. Needs an `HttpClient`; `effect/http` has one over `fetch`.
 */
export { Api } from "./Api.ts"
export { make } from "./clientRequests.ts"
export type { Client, ClientOptions } from "./clientRequests.ts"
export { events, StreamFailed, streamTurn } from "./clientStreams.ts"
export type { SessionEvent, TurnOutcome } from "./clientStreams.ts"
export { StreamLost } from "./resuming.ts"
export * as Problem from "./contract/Problem.ts"
export type { StreamedMessage } from "../domain/events/StreamedMessage.ts"
export type { StreamedUpdate } from "../domain/events/StreamedUpdate.ts"
