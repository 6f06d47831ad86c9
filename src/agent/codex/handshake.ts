/** Prepares a spawned `codex app-server` for turns: initializes it, and starts or resumes a thread. */
import { Effect, Option, Schedule } from "effect"
import { AgentFailed } from "../Agent.ts"
import type { OpenRequest } from "../Agent.ts"
import type { Peer } from "../JsonRpc.ts"
import { missingProgram } from "../missingProgram.ts"
import type { Child } from "../Processes.ts"
import { redact } from "../redact.ts"
import { objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { RpcError, RpcSilent } from "../RpcError.ts"

/** Measured: initialize 0.1–0.2 s, thread/start 20 ms, the resume of a thread of 100 turns 0.1 s. */
const initializeWithinMillis = 15_000
const threadWithinMillis = 30_000

export interface Ready {
  readonly thread: string
  readonly contextLost: string | null
  readonly version: string | null
  /** The line of the reply that has the thread (`wireLine`). */
  readonly wire: string
}

export const run = Effect.fnUntraced(function* (
  peer: Peer,
  child: Child,
  request: OpenRequest,
  toWireLine: (raw: string) => string
) {
  let wire = ""
  const onReplyLine = (raw: string) => {
    wire = toWireLine(raw)
  }
  const ask = (method: string, params: JsonObject, timeoutMillis: number) =>
    peer.request(method, params, { timeoutMillis, onReplyLine })
  const explained = (method: string) =>
    Effect.catch((error: RpcError | RpcSilent) => explain(child, method, error, error._tag === "RpcError" ? wire : ""))

  const initialized = yield* ask("initialize", introduction, initializeWithinMillis).pipe(explained("initialize"))
  yield* peer.notify("initialized", {})
  // `troupe/0.169.0 (Debian 12.0.0; x86_64) unknown (troupe; 0.1.0)`
  const version = /^[^/]+\/(\S+)/.exec(textIn(objectIn(initialized)["userAgent"]) ?? "")?.[1] ?? null

  const start = ask("thread/start", settingsOf(request), threadWithinMillis).pipe(explained("thread/start"))

  if (request.thread === null) {
    return { thread: yield* threadIn(yield* start), contextLost: null, version, wire } satisfies Ready
  }
  const resumed = yield* ask(
    "thread/resume",
    // Without `excludeTurns` the reply contains the whole history: 1.2 MB for 100 turns.
    { threadId: request.thread, excludeTurns: true, ...settingsOf(request) },
    threadWithinMillis
  ).pipe(
    Effect.retry({
      while: heldByAnother,
      schedule: Schedule.max([Schedule.exponential("100 millis"), Schedule.recurs(4)])
    }),
    Effect.catchIf(
      (error) => error._tag === "RpcError" && !heldByAnother(error),
      (error) => Effect.succeed({ lost: redact(error.message).slice(0, 500) })
    ),
    explained("thread/resume")
  )
  const lost = textIn(objectIn(resumed)["lost"])
  if (lost === null) return { thread: yield* threadIn(resumed), contextLost: null, version, wire } satisfies Ready
  return { thread: yield* threadIn(yield* start), contextLost: lost, version, wire } satisfies Ready
})

const introduction: JsonObject = {
  clientInfo: { name: "troupe", title: "Troupe", version: "0.1.0" },
  capabilities: {
    // For thread/backgroundTerminals/clean, without which an interrupt leaves commands running.
    experimentalApi: true,
    // Exact names. None of them is read here, and turn/diff repeats the whole diff after each model response.
    optOutNotificationMethods: [
      "turn/diff/updated",
      "account/rateLimits/updated",
      "thread/readState/changed",
      "thread/settings/updated",
      "remoteControl/status/changed"
    ]
  }
}

/**
 * The settings of a thread. Sandbox and approvals are the same for every policy: commands run in the workspace's sandbox,
 * and codex asks for what would leave it. The session's permissions decide these requests, outside of the driver.
 */
const settingsOf = (request: OpenRequest): JsonObject => ({
  cwd: request.cwd,
  ...(request.model === null ? {} : { model: request.model }),
  // Appended to codex's own instructions, which `baseInstructions` would replace.
  ...(request.systemPrompt === null ? {} : { developerInstructions: request.systemPrompt }),
  approvalPolicy: "on-request",
  sandbox: "workspace-write",
  config: {
    // Otherwise codex retries a refused connection for ever, whatever its retry settings.
    "features.unbounded_connection_retries": false,
    // With a goal codex begins turns by itself, which belong to no prompt.
    "features.goals": false
  }
})

/** One process at a time may have a thread loaded. A dead process's lock is released a moment after its death. */
const heldByAnother = (error: RpcError | RpcSilent): boolean =>
  error._tag === "RpcError" && error.message.includes("already has an active writer")

const threadIn = (reply: unknown): Effect.Effect<string, AgentFailed> => {
  const id = textIn(objectIn(objectIn(reply)["thread"])["id"])
  return id === null
    ? Effect.fail(new AgentFailed({ class: "protocol", message: "Codex started a thread and did not name it." }))
    : Effect.succeed(id)
}

/** Fails with the reason why a request came to nothing, what to do about it, and the process's stderr. */
export const explain = Effect.fnUntraced(function* (
  child: Child,
  method: string,
  error: RpcError | RpcSilent,
  wire = ""
) {
  if (error._tag === "RpcError") {
    const message = redact(error.message).slice(0, 1_000)
    return yield* new AgentFailed(
      heldByAnother(error)
        ? {
            class: "crash",
            ...(wire === "" ? {} : { wire }),
            message: `Another process still has this codex thread open: ${message}. End it and try again.`
          }
        : { class: "config", message: `Codex refused ${method}: ${message}`, ...(wire === "" ? {} : { wire }) }
    )
  }
  const stderr = yield* child.stderr
  const tail = stderr === "" ? {} : { stderr }
  if (error.reason === "timeout") {
    return yield* new AgentFailed({
      class: "timeout",
      message: `Codex did not answer ${method} in time.${child.malformed.sentence()} Its process is ended; the next turn starts a new one.`,
      ...tail
    })
  }
  const exit = yield* Effect.timeoutOption(child.exit, "1 second")
  const missing = missingProgram("Codex", Option.getOrNull(exit), stderr)
  if (missing !== null) return yield* new AgentFailed({ ...missing, ...tail })
  const code = exit._tag === "Some" ? exit.value.code : null
  const how = exit._tag === "None" ? "closed its output" : `ended (${exit.value.signal ?? `exit code ${code}`})`
  const reason = stderr.trim().split("\n").at(-1)?.slice(0, 300) ?? ""
  return yield* new AgentFailed({
    // 1 and 2 before the handshake mean: CODEX_HOME does not exist, an unknown provider, a bad flag.
    class: method === "initialize" && (code === 1 || code === 2) ? "config" : "crash",
    message: `Codex ${how} before it answered ${method}${reason === "" ? "." : `: ${reason}`}${child.malformed.sentence()}`,
    ...tail
  })
})
