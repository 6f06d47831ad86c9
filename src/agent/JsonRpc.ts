/**
 * One JSON-RPC peer over newline-delimited JSON, for every agent that speaks it.
 *
 * A line with `method` and `id` is a request, with `method` alone a notification, else a reply; ids are compared, never
 * tested for truth (both agents number from 0). Both sides have an id space of their own. Bounds: 32 MiB a line, 64
 * messages waiting to be written, 64 requests in flight, a deadline on every one.
 */
import { Schema } from "effect"
import type { Effect, Scope } from "effect"
import type { AgentFailed } from "./Agent.ts"
import type { Child } from "./Processes.ts"

/** The other side's `error`, or ours to it. */
export class RpcError extends Schema.TaggedError<RpcError>()("RpcError", {
  code: Schema.Int,
  message: Schema.String,
  data: Schema.optionalKey(Schema.Unknown)
}) {}

/** No answer came: the deadline passed, or the peer is gone. */
export class RpcSilent extends Schema.TaggedError<RpcSilent>()("RpcSilent", {
  method: Schema.String,
  reason: Schema.Literals(["timeout", "closed"])
}) {}

export interface PeerOptions {
  /** Codex leaves the `jsonrpc` field out; ACP demands it. */
  readonly versioned: boolean
  /** Awaited before the next line is read. `raw` is the line as it came. */
  readonly onNotification: (method: string, params: unknown, raw: string) => Effect.Effect<void>
  /** Runs beside the reading, so an answer may take its time. An unknown method is -32601. */
  readonly onRequest: (method: string, params: unknown) => Effect.Effect<unknown, RpcError>
}

export interface Peer {
  readonly request: (
    method: string,
    params: unknown,
    options: { readonly timeoutMillis: number }
  ) => Effect.Effect<unknown, RpcError | RpcSilent>
  /**
   * For a request whose answer is an event among others (a prompt): `onReply` runs in wire order with the
   * notifications, before the next line is read. Fails only where it could not be written.
   */
  readonly post: (
    method: string,
    params: unknown,
    onReply: (
      reply:
        | { readonly ok: true; readonly result: unknown }
        | { readonly ok: false; readonly error: RpcError | RpcSilent }
    ) => Effect.Effect<void>
  ) => Effect.Effect<void, RpcSilent>
  readonly notify: (method: string, params: unknown) => Effect.Effect<void>
  /** Lines that were no message, skipped. */
  readonly garbage: Effect.Effect<number>
  /** Fails with class `protocol` where the peer broke the bounds, succeeds when its output ended. */
  readonly ended: Effect.Effect<void, AgentFailed>
}

export type MakePeer = (child: Child, options: PeerOptions) => Effect.Effect<Peer, never, Scope.Scope>
