/**
 * Classifies the failures of ACP agents, and says what to do about each.
 *
 * There are three sources: a JSON-RPC error (claude-agent-acp); from codex-acp, the traces of an error in a turn that
 * reports success; and a typed `sessionFailure`, an extension that both share and that Troupe does not announce, but a
 * client in between may.
 */
import { at, listIn, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { Failure } from "../../domain/Turn.ts"
import type { RpcError } from "../RpcError.ts"
import { resetIn } from "../resetTime.ts"
import { line, sentence } from "./sentence.ts"

/** ACP's error codes (schema, `ErrorCode`); an error without a code of its own is -32603. */
export const authRequired = -32000
export const notFound = -32002
export const invalidParams = -32602
export const methodNotFound = -32601
/** JSON-RPC 2.0, section 5.1: it could not read what we wrote. */
const parseError = -32700

/** codex-acp: its app-server died. It would start another one for the next prompt. */
const codexDied = 1001

/** codex lets one process at a time write to a conversation, until that process is gone (`data.reason`, 0.166). */
export const isTaken = (error: RpcError): boolean => at(error.data, "reason") === "thread_active_writer"

/** `name` is the agent's name in sentences; `logIn` completes "… and try again". */
export interface AgentIdentity {
  readonly name: string
  readonly logIn: string
}

/** From the name that an agent gives itself in `initialize`, or the name under which it is configured. */
export const identify = (name: string): AgentIdentity => {
  if (/claude/i.test(name)) {
    return { name, logIn: "Log in with `claude` and `/login`, or give the agent ANTHROPIC_API_KEY" }
  }
  if (/codex/i.test(name)) {
    return { name, logIn: "Log in with `codex login`, or give the agent OPENAI_API_KEY" }
  }
  return { name, logIn: "Log in with the agent's own program, or give it its key in `env` or `inheritEnv`" }
}

/** `attempt` is a sentence on what was tried, `methods` what the agent offers to log in with. */
export const notLoggedIn = ({ logIn, name }: AgentIdentity, reason: string, attempt = "", methods = ""): Failure => {
  const offer = methods === "" ? "" : ` It offers ${methods}; "authMethod" in its configuration chooses one.`
  return {
    class: "auth",
    message: `${name} is not logged in (${line(reason)}).${attempt === "" ? "" : ` ${attempt}`} ${logIn}, and try again.${offer}`
  }
}

const outOfQuota = ({ name }: AgentIdentity, reason: string): Failure => ({
  class: "quota",
  message: `${name} has reached a limit of its account: ${line(reason)} Wait until the limit is lifted, or use another account.`,
  ...resetIn(reason, null)
})

const conversationFull = ({ name }: AgentIdentity, reason: string): Failure => ({
  class: "conversation",
  message: `${name} can't go on in this conversation: ${reason} Start a new session.`
})

const modelFailed = ({ name }: AgentIdentity, reason: string): Failure => ({
  class: "model",
  message: `The model behind ${name} failed: ${line(reason)} Send the turn again; if it keeps failing, check the provider's status and the request.`
})

const died = ({ name }: AgentIdentity, reason: string): Failure => ({
  class: "crash",
  message: `${name} lost the process that did the work: ${line(reason)} It is started again; send the turn again.`
})

/** From an error reply. `method` is the request in the sentence. */
export const ofError = (identity: AgentIdentity, method: string, error: RpcError): Failure => {
  const kind = nonEmptyTextIn(at(error.data, "errorKind"))
  // codex-acp and claude-agent-acp put the reason into `data.details`, and "Internal error" into `message`.
  const reason = sentence(
    [error.message, nonEmptyTextIn(at(error.data, "details"))].filter((part) => part !== null).join(": ")
  )
  if (error.code === authRequired || kind === "authentication_failed") return notLoggedIn(identity, error.message)
  if (kind === "rate_limit" || kind === "billing_error") return outOfQuota(identity, reason)
  if (
    error.code === codexDied ||
    error.code === notFound ||
    // The last is Claude's SDK, of a process that died between two turns: where we cancel, its error is none (`TurnTracker`).
    /exited unexpectedly|process (exited|was killed|aborted by user)/i.test(reason)
  ) {
    return died(identity, reason)
  }
  if (isTaken(error)) {
    return {
      class: "crash",
      message: `Another process still has this conversation of ${identity.name} open. End that process, or wait until it is gone, and send the turn again.`
    }
  }
  if ((error.code <= -32600 && error.code >= -32602) || error.code === parseError) {
    return {
      class: "protocol",
      message: `${identity.name} refused ${method}: ${reason} Its version may not fit this Troupe; update the agent.`
    }
  }
  if (/\b(usage limit|quota|credit balance|insufficient_quota)\b/i.test(reason)) return outOfQuota(identity, reason)
  return ofSetup(identity, reason) ?? modelFailed(identity, reason)
}

/**
 * From a prompt's result: the typed failure in `_meta.jetbrains.air.sessionFailure`, where its `severity` is `error`
 * (`{category, title, actions}`; claude-agent-acp 0.100, codex-acp 2.6). A retry has `warning` and is no failure.
 */
export const ofResult = (identity: AgentIdentity, result: unknown): Failure | null => {
  const failure = objectIn(at(result, "_meta", "jetbrains", "air", "sessionFailure"))
  if (failure["severity"] !== "error") return null
  const reason = sentence(nonEmptyTextIn(failure["title"]) ?? "it gave no reason")
  const actions = listIn(failure["actions"])
  switch (failure["category"]) {
    case "access":
      return notLoggedIn(identity, reason)
    case "limit":
      // Used-up context and budget are limits too, but of this conversation: only a new one helps.
      return actions.length === 1 && actions[0] === "new_session"
        ? conversationFull(identity, reason)
        : outOfQuota(identity, reason)
    case "connection":
      // codex-acp uses this category also for an overloaded provider; the death of its own process has these words.
      return !actions.includes("retry") || /^connection to \w+ was lost/i.test(reason)
        ? died(identity, reason)
        : ofText(identity, reason)
    default:
      return ofText(identity, reason)
  }
}

/** From words with which an agent says that it is not set up; a client in between, as acpx is, passes no code. */
const ofSetup = (identity: AgentIdentity, text: string): Failure | null => {
  if (/\bAPI key is (missing|not configured|required)\b/i.test(text)) return notLoggedIn(identity, text)
  if (!/\bcannot be used with root\b/i.test(text)) return null
  return {
    class: "config",
    message: `${identity.name} refuses to run as root: ${line(text)} Run Troupe as another user or, where it is alone in a container, with IS_SANDBOX=1.`
  }
}

/** From words alone: for a category that says no more than "the service", or for the text of an error of codex. */
export const ofText = (identity: AgentIdentity, text: string): Failure =>
  /\bstatus:? 40[13]\b|unauthorized|forbidden|not logged in|token (was|has been) revoked/i.test(text)
    ? notLoggedIn(identity, text)
    : /\b(context window|context length)\b.*\bnew (conversation|session|thread)\b/is.test(text)
      ? conversationFull(identity, sentence(text))
      : /usage limit|quota|rate limit|\b429\b/i.test(text)
        ? outOfQuota(identity, sentence(text))
        : (ofSetup(identity, text) ?? modelFailed(identity, sentence(text === "" ? "it gave no reason" : text)))

export const malformed = ({ name }: AgentIdentity, problem: string): Failure => ({
  class: "protocol",
  message: `${name} broke the protocol: ${problem} Its version may not fit this Troupe; update the agent.`
})
