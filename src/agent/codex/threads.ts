/** Lists the threads of codex's home, with a process of its own that opens none of them. */
import { Effect } from "effect"
import { homedir } from "node:os"
import { cut } from "../../domain/cut.ts"
import { listIn, numberIn, objectIn, textIn } from "../../domain/json.ts"
import type { AgentDriver, DriverConfig } from "../Agent.ts"
import type { ThreadPage, ThreadSummary } from "../threadList.ts"
import * as JsonRpc from "../JsonRpc.ts"
import type { Processes } from "../Processes.ts"
import { secretsIn } from "../redact.ts"
import { RpcError } from "../RpcError.ts"
import type { RpcSilent } from "../RpcError.ts"
import { wireLine } from "../wireLine.ts"
import { introduction } from "./handshake.ts"
import * as McpStartup from "./McpStartup.ts"
import { startFailed } from "./startFailed.ts"

const withinMillis = 30_000

/** Of the command line, of editors and other clients, and of `codex exec`; not of sub-agents. */
const sourceKinds = ["cli", "vscode", "exec", "appServer"]

export const make = (processes: Processes["Service"], config: DriverConfig): NonNullable<AgentDriver["threads"]> =>
  Effect.fn("Codex.threads")(function* ({ lease, spawned }, { cursor, cwd, limit }) {
    const { command, env } = config
    const secrets = secretsIn(config)
    const child = yield* processes.spawn({
      lease,
      command,
      cwd: env["HOME"] ?? homedir(),
      env,
      secrets,
      stdin: true,
      spawned
    })
    const peer = yield* JsonRpc.make(child, {
      versioned: false,
      onNotification: () => Effect.void,
      onRequest: (method) => Effect.fail(new RpcError({ code: -32601, message: `Troupe does not answer ${method}.` }))
    })
    yield* Effect.forkScoped(Effect.ignore(peer.ended))
    let wire = ""
    const mcp = McpStartup.make()
    const ask = (method: string, params: object) =>
      peer
        .request(method, params, { timeoutMillis: withinMillis, onReplyLine: (raw) => (wire = wireLine(raw, secrets)) })
        .pipe(
          Effect.catch((error: RpcError | RpcSilent) =>
            startFailed({ child, mcp, method, thread: null, error, wire: error._tag === "RpcError" ? wire : "" })
          )
        )
    yield* ask("initialize", introduction)
    yield* peer.notify("initialized", {})
    const reply = yield* ask("thread/list", {
      limit,
      cursor,
      sortKey: "updated_at",
      // Empty: of every provider.
      modelProviders: [],
      sourceKinds,
      ...(cwd === null ? {} : { cwd })
    })
    return pageOf(objectIn(reply), limit)
  })

const pageOf = ({ data, nextCursor }: Readonly<Record<string, unknown>>, limit: number): ThreadPage => ({
  threads: listIn(data).slice(0, limit).flatMap(summaryOf),
  next: textIn(nextCursor)
})

/** `preview` is the first prompt, and `updatedAt` is in seconds. */
const summaryOf = (value: unknown): ReadonlyArray<ThreadSummary> => {
  const thread = objectIn(value)
  const id = textIn(thread["id"])
  if (id === null) return []
  const title = textIn(thread["name"]) ?? textIn(thread["preview"]) ?? ""
  const seconds = numberIn(thread["updatedAt"])
  return [
    {
      id,
      cwd: textIn(thread["cwd"]),
      title: title === "" ? null : cut(title, 200),
      updatedAt: seconds === null ? null : seconds * 1_000
    }
  ]
}
