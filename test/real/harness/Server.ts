/** Troupe as its operator runs it: a process with an address, an admin token, and signals. */
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { main } from "../../builtProgram.ts"
import * as App from "./App.ts"
import { call } from "./App.ts"
import { until } from "./until.ts"
import type { AuditLine } from "./wire.ts"

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Server {
  readonly pid: number
  readonly alive: () => boolean
  /** Its output so far, stdout and stderr. */
  readonly log: () => string
  readonly app: (name: string) => Effect.Effect<App.App & { readonly token: string }>
  /** An app whose token was minted by an earlier Troupe on the same data. */
  readonly knownApp: (token: string) => App.App
  readonly audit: (session: string) => Effect.Effect<ReadonlyArray<AuditLine>>
  readonly signal: (signal: NodeJS.Signals) => void
  readonly ended: Effect.Effect<Ended>
  /** SIGTERM, and how it ended. */
  readonly stop: Effect.Effect<Ended>
}

export interface Start {
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

export interface Output extends Ended {
  readonly stdout: string
  readonly stderr: string
}

export const command = Effect.fnUntraced(function* ({ args, cwd, env }: Start) {
  const child = spawn(process.execPath, [main, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
  const output = { stdout: "", stderr: "" }
  child.stdout.on("data", (chunk) => (output.stdout += chunk))
  child.stderr.on("data", (chunk) => (output.stderr += chunk))
  let result: Ended | undefined
  // Not "exit": what it printed last may still be on its way.
  child.on("close", (code, signal) => (result = { code, signal }))
  const ended = yield* until(`the end of troupe ${args[0]}`, () => result)
  return { ...output, ...ended } satisfies Output
})

export const start = Effect.fnUntraced(function* (options: Start) {
  const adminToken = `adm_${randomBytes(24).toString("hex")}`
  const child = spawn(process.execPath, [main, "serve", ...options.args], {
    cwd: options.cwd,
    env: { ...options.env, TROUPE_ADMIN_TOKEN: adminToken, TROUPE_LOG_FORMAT: "json", TROUPE_LOG_LEVEL: "debug" },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let log = ""
  let result: Ended | undefined
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (log += chunk))
  child.on("exit", (code, signal) => (result = { code, signal }))
  const origin = yield* until("Troupe's address", () => {
    if (result !== undefined) throw new Error(`Troupe ended before it served: ${JSON.stringify(result)}\n${log}`)
    return /http:\/\/127\.0\.0\.1:\d+/.exec(log)?.[0]
  })

  const ended = until("Troupe's end", () => result)
  const server: Server = {
    pid: child.pid ?? 0,
    alive: () => result === undefined,
    log: () => log,
    app: Effect.fnUntraced(function* (name) {
      const { body } = yield* call<{ readonly token: string }>(`${origin}/admin/apps`, adminToken, "POST", { name })
      return { token: body.token, ...App.make(origin, body.token) }
    }),
    knownApp: (token) => App.make(origin, token),
    audit: (session) =>
      Effect.map(
        call<{ readonly audit: ReadonlyArray<AuditLine> }>(
          `${origin}/admin/sessions/${session}/audit`,
          adminToken,
          "GET"
        ),
        ({ body }) => body.audit
      ),
    signal: (signal) => void child.kill(signal),
    ended,
    stop: Effect.andThen(
      Effect.sync(() => child.kill("SIGTERM")),
      ended
    )
  }
  return server
})
