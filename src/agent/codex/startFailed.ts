/**
 * What it means that codex did not start or resume a thread, and what to do about it.
 *
 * Only codex's words for a rollout that is not there, or that holds nothing, cost the conversation. Any other error fails
 * the start and keeps the thread, because the next start may find it.
 */
import { Effect, Option } from "effect"
import { cut } from "../../domain/cut.ts"
import type { Failure } from "../../domain/Turn.ts"
import { AgentFailed } from "../Agent.ts"
import { errorLine } from "../errorLine.ts"
import { missingProgram } from "../missingProgram.ts"
import type { Child } from "../Processes.ts"
import { redact } from "../redact.ts"
import { internalError } from "../RpcError.ts"
import type { RpcError, RpcSilent } from "../RpcError.ts"
import type { McpStartup } from "./McpStartup.ts"
import { isOverloaded } from "./overload.ts"

/** One process at a time may have a thread loaded. A dead process's lock is released a moment after its death. */
export const heldByAnother = (error: RpcError | RpcSilent): boolean =>
  error._tag === "RpcError" && error.message.includes("already has an active writer")

/** Seen with 0.169: -32600 for a missing rollout and for an id of the wrong shape, -32603 for one that can't be read. */
export const isUnknownThread = (error: RpcError | RpcSilent): error is RpcError =>
  error._tag === "RpcError" &&
  /\bno rollout found\b|\brollout at .{1,1000} (is empty|does not start with session metadata)|^thread not (found|loaded)\b|^invalid (thread|session) id\b/.test(
    error.message
  )

/** What a person has to mend: `required MCP servers failed to initialize: …` is a -32603, too. */
const namesSettings = (message: string): boolean =>
  /\b(MCP servers?|configuration|config\.toml|provider|profile)\b/i.test(message)

export interface FailedRequest {
  readonly child: Child
  readonly mcp: McpStartup
  readonly method: string
  /** The thread that was to be resumed. */
  readonly thread: string | null
  readonly error: RpcError | RpcSilent
  /** The line of the refusal (`wireLine`); empty where there was none. */
  readonly wire: string
}

const ofRefusal = ({ method, thread }: FailedRequest, error: RpcError): Failure => {
  const message = cut(redact(error.message), 1_000)
  const kept = thread === null ? "" : `${/[.!?]$/.test(message) ? "" : "."} The conversation is kept.`
  if (heldByAnother(error)) {
    return {
      class: "crash",
      message: `Another process still has this codex thread open: ${message}. End it and try again.`
    }
  }
  if (isOverloaded(error)) {
    return { class: "protocol", message: `Codex is overloaded and did not take ${method}: ${message}${kept}` }
  }
  return error.code === internalError && !namesSettings(message)
    ? { class: "protocol", message: `Codex failed at ${method}: ${message}${kept}` }
    : { class: "config", message: `Codex refused ${method}: ${message}${kept}` }
}

/** Fails with the reason why a request came to nothing, what to do about it, and the process's stderr. */
export const startFailed = Effect.fnUntraced(function* (failed: FailedRequest) {
  const { child, error, mcp, method, wire } = failed
  if (error._tag === "RpcError") {
    return yield* new AgentFailed({ ...ofRefusal(failed, error), ...(wire === "" ? {} : { wire }) })
  }
  // Its last words are complete only when it has exited.
  const exit = error.reason === "timeout" ? Option.none() : yield* Effect.timeoutOption(child.exit, "1 second")
  const stderr = yield* child.stderr
  const tail = stderr === "" ? {} : { stderr }
  if (error.reason === "timeout") {
    const servers = mcp.problem()
    const late = `Codex did not answer ${method} in time.${child.malformed.sentence()}`
    return yield* new AgentFailed({
      ...(servers === null
        ? { class: "timeout", message: `${late} Its process is ended; the next turn starts a new one.` }
        : {
            class: "config",
            message: `${late} ${servers} Mend it, or set "required = false" for it under "mcp_servers" of codex's configuration, and send the turn again.`
          }),
      ...tail
    })
  }
  const missing = missingProgram("Codex", Option.getOrNull(exit), stderr)
  const ended = Option.match(exit, { onNone: () => ({}), onSome: (exit) => ({ exit }) })
  if (missing !== null) return yield* new AgentFailed({ ...missing, ...tail, ...ended })
  const code = exit._tag === "Some" ? exit.value.code : null
  const how = exit._tag === "None" ? "closed its output" : `ended (${exit.value.signal ?? `exit code ${code}`})`
  const reason = errorLine(stderr)
  return yield* new AgentFailed({
    // 1 and 2 before the handshake mean: CODEX_HOME does not exist, an unknown provider, a bad flag.
    class: method === "initialize" && (code === 1 || code === 2) ? "config" : "crash",
    message: `Codex ${how} before it answered ${method}${reason === "" ? "." : `: ${reason}`}${child.malformed.sentence()}`,
    ...tail,
    ...ended
  })
})
