/**
 * Follows the MCP servers that codex starts with a thread, from `mcpServer/startupStatus/updated`. `thread/start` waits
 * for those that are required, so their signs extend the wait for it, and a failure names them.
 */
import { Clock, Effect } from "effect"
import { cut } from "../../domain/cut.ts"
import { objectIn, textIn } from "../../domain/json.ts"
import type { AgentFact } from "../Agent.ts"
import { forgetOldest } from "../forgetOldest.ts"
import { redact } from "../redact.ts"
import { RpcSilent } from "../RpcError.ts"
import type { RpcError } from "../RpcError.ts"

export interface McpStartup {
  readonly note: (params: unknown) => Effect.Effect<void>
  /** What is to be reported where a server of the session did not start: nothing the second time. `null`: it is not so. */
  readonly failedOfSession: (params: unknown) => ReadonlyArray<AgentFact> | null
  /** The servers that have not started, as a sentence; `null`: there are none. */
  readonly problem: () => string | null
  /** Fails as `timeout` after `quietMillis` without a sign, and at `deadline` (milliseconds since 1970) in any case. */
  readonly within: <A>(
    request: Effect.Effect<A, RpcError | RpcSilent>,
    limits: { readonly method: string; readonly quietMillis: number; readonly deadline: number }
  ) => Effect.Effect<A, RpcError | RpcSilent>
}

/** How many servers are remembered. */
const maxServers = 64

/** `servers`: those that the session brings, by their names. */
export const make = (servers: ReadonlySet<string> = new Set()): McpStartup => {
  /** By name: the reason of the failure, or `null` while it starts. */
  const unready = new Map<string, string | null>()
  let lastSignAt = 0

  const note: McpStartup["note"] = (value) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const params = objectIn(value)
      const name = textIn(params["name"])
      lastSignAt = now
      if (name === null) return
      unready.delete(name)
      if (params["status"] === "starting") unready.set(name, null)
      if (params["status"] === "failed")
        unready.set(name, cut(redact(textIn(params["error"]) ?? "no reason given"), 300))
      forgetOldest(unready, maxServers)
    })

  const reported = new Set<string>()
  const failedOfSession: McpStartup["failedOfSession"] = (value) => {
    const { error, name, status } = objectIn(value)
    const server = textIn(name)
    if (server === null || status !== "failed" || !servers.has(server)) return null
    if (reported.has(server)) return []
    reported.add(server)
    const message = cut(redact(textIn(error) ?? "Codex gave no reason."), 1_000)
    return [{ _tag: "McpFailed", turn: null, server, message }]
  }

  const problem = (): string | null => {
    if (unready.size === 0) return null
    const servers = [...unready].map(([name, failure]) =>
      failure === null ? `"${cut(name, 100)}" is still starting` : `"${cut(name, 100)}" failed (${failure})`
    )
    return `Of its MCP servers ${servers.slice(0, 5).join(", ")}.`
  }

  const within: McpStartup["within"] = (request, { deadline, method, quietMillis }) =>
    Effect.gen(function* () {
      const begunAt = yield* Clock.currentTimeMillis
      const silence = Effect.gen(function* () {
        while (true) {
          const left =
            Math.min(deadline, Math.max(begunAt, lastSignAt) + quietMillis) - (yield* Clock.currentTimeMillis)
          if (left <= 0) return yield* new RpcSilent({ method, reason: "timeout" })
          yield* Effect.sleep(left)
        }
      })
      return yield* Effect.raceFirst(request, silence)
    })

  return { note, failedOfSession, problem, within }
}
