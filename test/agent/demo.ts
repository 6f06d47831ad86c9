/** A client of the demo agent over its real stdio, for the tests of its protocol and of its directives. */
import { Effect, Queue, Stream } from "effect"
import { RpcError } from "../../src/agent/RpcError.ts"
import * as JsonRpc from "../../src/agent/JsonRpc.ts"
import { freshLease, spawn } from "./child.ts"

const main = new URL("../../src/agent/demo/main.ts", import.meta.url).pathname

export interface Update {
  readonly sessionUpdate: string
  readonly content?: { readonly text?: string }
  readonly [key: string]: unknown
}

export interface TurnEnd {
  readonly stopReason: string
  readonly usage: { readonly totalTokens: number }
  readonly _meta?: unknown
}

export interface Options {
  readonly env?: Readonly<Record<string, string>>
  readonly clientCapabilities?: unknown
  /** Answers `session/request_permission`. */
  readonly decide?: (params: Readonly<Record<string, unknown>>) => Effect.Effect<unknown, RpcError>
}

/** Starts the process, and sends nothing to it. */
export const start = Effect.fnUntraced(function* ({ env = {}, decide }: Options = {}) {
  const lease = freshLease()
  const child = yield* spawn({
    lease,
    command: [process.execPath, main],
    cwd: import.meta.dirname,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdin: true,
    spawned: () => Effect.void
  })
  const notifications = yield* Queue.unbounded<{
    readonly method: string
    readonly params: Readonly<Record<string, unknown>>
  }>()
  const peer = yield* JsonRpc.make(child, {
    versioned: true,
    onNotification: (method, params) =>
      Effect.asVoid(Queue.offer(notifications, { method, params: params as Readonly<Record<string, unknown>> })),
    onRequest: (method, params) =>
      decide === undefined
        ? Effect.fail(new RpcError({ code: -32601, message: method }))
        : decide(params as Readonly<Record<string, unknown>>)
  })
  const request = (method: string, params: unknown) => peer.request(method, params, { timeoutMillis: 10_000 })
  const initialize = (clientCapabilities: unknown = {}) =>
    request("initialize", { protocolVersion: 1, clientCapabilities })
  return { child, initialize, lease, peer, request, notifications }
})

/** Opens a new session, or the given one, up to its first prompt. */
export const open = Effect.fnUntraced(function* (options: Options & { readonly resume?: string } = {}) {
  const agent = yield* start(options)
  yield* agent.initialize(options.clientCapabilities)
  const where = { cwd: import.meta.dirname, mcpServers: [] }
  if (options.resume !== undefined) {
    yield* agent.request("session/resume", { ...where, sessionId: options.resume })
  }
  const sessionId =
    options.resume ?? ((yield* agent.request("session/new", where)) as { readonly sessionId: string }).sessionId

  const prompt = (text: string) =>
    Effect.map(
      agent.request("session/prompt", { sessionId, prompt: [{ type: "text", text }] }),
      (end) => end as TurnEnd
    )
  const cancel = agent.peer.notify("session/cancel", { sessionId })
  const nextUpdate = Effect.map(Queue.take(agent.notifications), ({ params }) => params["update"] as Update)
  /** All updates up to now. Those of a turn come before its end. */
  const updates = Effect.map(Queue.clear(agent.notifications), (all) =>
    all.map(({ params }) => params["update"] as Update)
  )
  const say = Effect.fnUntraced(function* (text: string) {
    const end = yield* prompt(text)
    const all = yield* updates
    return { end, updates: all, text: textOf(all) }
  })
  return { ...agent, cancel, nextUpdate, prompt, say, sessionId, updates }
})

export const textOf = (updates: ReadonlyArray<Update>): string =>
  updates
    .filter(({ sessionUpdate }) => sessionUpdate === "agent_message_chunk")
    .map(({ content }) => content?.text ?? "")
    .join("")

/** Waits for an update for which the predicate holds, and drops those before it. */
export const until = (next: Effect.Effect<Update>, predicate: (update: Update) => boolean) =>
  Stream.fromEffectRepeat(next).pipe(Stream.filter(predicate), Stream.take(1), Stream.runDrain)
