/** A JSON-RPC peer over real pipes, connected to the fixture `wire`. */
import { Effect } from "effect"
import * as JsonRpc from "../../src/agent/JsonRpc.ts"
import { RpcError } from "../../src/agent/RpcError.ts"
import { spawn, specOf } from "./child.ts"

export const within = { timeoutMillis: 10_000 }

/** A peer connected to the fixture `wire`, and its notifications. */
export const connect = Effect.fnUntraced(function* (options: Partial<JsonRpc.PeerOptions> = {}) {
  const notifications: Array<unknown> = []
  const child = yield* spawn(specOf("wire"))
  const peer = yield* JsonRpc.make(child, {
    versioned: true,
    onNotification: (_method, params) => Effect.sync(() => void notifications.push(params)),
    onRequest: (method) => Effect.fail(new RpcError({ code: -32601, message: `no ${method} here` })),
    ...options
  })
  return { child, peer, notifications }
})
