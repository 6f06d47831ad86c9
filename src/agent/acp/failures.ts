/**
 * What an agent's failure is called here, and what to do about it.
 *
 * Three sources, the clearest first: a typed `sessionFailure` (an extension that claude-agent-acp and codex-acp share),
 * a JSON-RPC error, and, from a codex-acp that was not asked for typed failures, the traces of an error in a turn that
 * calls itself a success.
 */
import type { Failure } from "../../domain/Turn.ts"
import type { RpcError } from "../JsonRpc.ts"
import { resetIn } from "../resetTime.ts"
import { at, listIn, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import { line, sentence } from "./sentence.ts"

/** ACP's codes (schema, `ErrorCode`): what has no code of its own is -32603. */
export const authRequired = -32000
export const notFound = -32002
export const invalidParams = -32602
export const methodNotFound = -32601

/** codex-acp: its app-server died. It would start another one for the next prompt. */
const codexDied = 1001

/** codex lets one process at a time write to a conversation, until that process is gone (`data.reason`, 0.166). */
export const isTaken = (error: RpcError): boolean => at(error.data, "reason") === "thread_active_writer"

/** `who` names the agent in sentences; `logIn` completes "… and try again". */
export interface AgentIdentity {
  readonly name: string
  readonly logIn: string
}

/** From the names that agents give themselves in `initialize`, or the one they are configured by. */
export const identify = (name: string): AgentIdentity => {
  if (/claude/i.test(name)) {
    return { name, logIn: "Log in with `claude` and `/login`, or give the agent ANTHROPIC_API_KEY" }
  }
  if (/codex/i.test(name)) {
    return { name, logIn: "Log in with `codex login`, or give the agent OPENAI_API_KEY" }
  }
  return { name, logIn: "Log in with the agent's own program, or give it its key in `env` or `inheritEnv`" }
}

const notLoggedIn = (who: AgentIdentity, said: string): Failure => ({
  class: "auth",
  message: `${who.name} is not logged in (${line(said)}). ${who.logIn}, and try again.`
})

const outOfQuota = (who: AgentIdentity, said: string): Failure => ({
  class: "quota",
  message: `${who.name} has reached a limit of its account: ${line(said)} Wait until the limit is lifted, or use another account.`,
  ...resetIn(said, null)
})

const modelFailed = (who: AgentIdentity, said: string): Failure => ({
  class: "model",
  message: `The model behind ${who.name} failed: ${line(said)} Send the turn again; if it keeps failing, check the provider's status and the request.`
})

const died = (who: AgentIdentity, said: string): Failure => ({
  class: "crash",
  message: `${who.name} lost the process that did the work: ${line(said)} It is started again; send the turn again.`
})

/** An error in reply to a request. `method` names the request in the sentence. */
export const ofError = (who: AgentIdentity, method: string, error: RpcError): Failure => {
  const kind = nonEmptyTextIn(at(error.data, "errorKind"))
  // codex-acp and claude-agent-acp put what went wrong into `data.details` and say "Internal error" above it.
  const said = sentence(
    [error.message, nonEmptyTextIn(at(error.data, "details"))].filter((part) => part !== null).join(": ")
  )
  if (error.code === authRequired || kind === "authentication_failed") return notLoggedIn(who, error.message)
  if (kind === "rate_limit" || kind === "billing_error") return outOfQuota(who, said)
  if (
    error.code === codexDied ||
    error.code === notFound ||
    /exited unexpectedly|process (exited|was killed)/i.test(said)
  ) {
    return died(who, said)
  }
  if (isTaken(error)) {
    return {
      class: "crash",
      message: `Another process still has this conversation of ${who.name} open. End that process, or wait until it is gone, and send the turn again.`
    }
  }
  if (error.code <= -32600 && error.code >= -32602) {
    return {
      class: "protocol",
      message: `${who.name} refused ${method}: ${said} Its version may not fit this Troupe; update the agent.`
    }
  }
  if (/\b(usage limit|quota|credit balance|insufficient_quota)\b/i.test(said)) return outOfQuota(who, said)
  return modelFailed(who, said)
}

/**
 * The typed failure in a prompt result's `_meta.jetbrains.air.sessionFailure`, where `severity` is `error`
 * (`{category, title, actions}`; claude-agent-acp 0.100, codex-acp 2.6). Retries come with `warning` and are no failure.
 */
export const ofResult = (who: AgentIdentity, result: unknown): Failure | null => {
  const failure = objectIn(at(result, "_meta", "jetbrains", "air", "sessionFailure"))
  if (failure["severity"] !== "error") return null
  const said = sentence(nonEmptyTextIn(failure["title"]) ?? "it gave no reason")
  const actions = listIn(failure["actions"])
  switch (failure["category"]) {
    case "access":
      return notLoggedIn(who, said)
    case "limit":
      // Used-up context and budget are limits too, but of this conversation: only a new one helps.
      return actions.length === 1 && actions[0] === "new_session"
        ? { class: "model", message: `${who.name} can't go on in this conversation: ${said} Start a new session.` }
        : outOfQuota(who, said)
    case "connection":
      // codex-acp also says so of a provider that is overloaded; its own process that died has these words.
      return !actions.includes("retry") || /^connection to \w+ was lost/i.test(said)
        ? died(who, said)
        : ofText(who, said)
    default:
      return ofText(who, said)
  }
}

/** Where words are all there is: a category that says no more than "the service", or what codex said of its error. */
export const ofText = (who: AgentIdentity, prose: string): Failure =>
  /\bstatus:? 40[13]\b|unauthorized|forbidden|not logged in|token (was|has been) revoked/i.test(prose)
    ? notLoggedIn(who, prose)
    : /usage limit|quota|rate limit|\b429\b/i.test(prose)
      ? outOfQuota(who, sentence(prose))
      : modelFailed(who, sentence(prose === "" ? "it gave no reason" : prose))

export const malformed = (who: AgentIdentity, what: string): Failure => ({
  class: "protocol",
  message: `${who.name} broke the protocol: ${what} Its version may not fit this Troupe; update the agent.`
})
