/** Classifies the failures of codex, and says what to do about each. Codex's own words are quoted, without secrets. */
import { cut } from "../../domain/cut.ts"
import { numberIn, objectIn, textIn } from "../../domain/json.ts"
import type { Failure, StopReason } from "../../domain/Turn.ts"
import { AgentFailed } from "../Agent.ts"
import type { RpcError, RpcSilent } from "../RpcError.ts"
import { isOverloaded } from "./overload.ts"
import { redact } from "../redact.ts"
import { resetIn } from "../resetTime.ts"

/** How a failed turn ends. */
export type FailedEnd = { readonly stopReason: StopReason; readonly failure: Failure | null }

/**
 * From a `TurnError`: `{message, codexErrorInfo: string | {kind: {httpStatusCode}} | null, additionalDetails}`. `at`: when
 * the turn ended, in milliseconds since 1970, where codex reports it.
 */
export const failedEnd = (error: unknown, at: number | null = null): FailedEnd => {
  const { message: text, codexErrorInfo } = objectIn(error)
  const reason = cut(redact(textIn(text) ?? "no reason given"), 2_000)
  const { kind, status } = errorInfo(codexErrorInfo)

  // A model's answer that was cut short is an end, not a failure. `Incomplete response returned, reason: …` is all that
  // codex reports of it.
  if (reason.startsWith("Incomplete response returned, reason: max_output_tokens")) {
    return { stopReason: "max_tokens", failure: null }
  }
  if (reason.startsWith("Incomplete response returned, reason: content_filter")) {
    return { stopReason: "refusal", failure: null }
  }
  if (staleLogin.test(reason)) {
    return failed(
      "auth",
      `Codex's login was renewed by another process meanwhile: ${reason} Send the turn again, to a fresh process that reads the renewed login. If that fails, too, log in again with "codex login".`
    )
  }
  if (status === 401 || status === 403 || kind === "unauthorized") {
    return failed(
      "auth",
      `The model's provider refused codex's login (HTTP ${status ?? 401}): ${reason}. Log in again with "codex login", or renew the key that its provider reads.`
    )
  }
  if (kind === "usageLimitExceeded" || kind === "sessionBudgetExceeded") {
    const message = `Codex's usage limit is reached: ${reason} Wait until it resets, or raise it.`
    return { stopReason: "error", failure: { class: "quota", message, ...resetIn(reason, at) } }
  }
  if (reason.startsWith("Missing environment variable")) {
    return failed("config", `${reason} Set it for Troupe and name it in the agent's "inheritEnv", or set it in "env".`)
  }
  if (kind === "contextWindowExceeded") {
    const message = `Codex can't go on in this conversation, because it is longer than the model's context window: ${reason} Start a new session, or have this one compacted before the next turn.`
    return failed("conversation", message)
  }
  if (kind === "modelNotFound") {
    return failed("config", `${reason} Give the session a model that the provider has.`)
  }
  if (kind !== null && policyKinds.has(kind)) {
    return failed(
      "model",
      `The model's provider refused this request by its usage policy: ${reason} It refuses the same request each time, so change the prompt, or ask the provider for access.`
    )
  }
  if (kind === "httpConnectionFailed" && status === null) {
    return failed("model", `Codex could not reach the model's provider: ${reason}. Check its address and the network.`)
  }
  return failed("model", `The model's provider failed${status === null ? "" : ` (HTTP ${status})`}: ${reason}`)
}

/**
 * What the request says is refused, and the next request may be accepted (seen with codex 0.171). `bioPolicy` came with
 * 0.171.
 */
const policyKinds: ReadonlySet<string> = new Set(["cyberPolicy", "bioPolicy", "misalignmentPolicyViolation"])

/** Codex's words where auth.json is not what this process has read. */
const staleLogin = /refresh token was already used|since logged out or signed in to another account/i

/** A fresh process, which reads auth.json, may be accepted. */
export const isStaleLogin = (failure: Failure | null): boolean =>
  failure !== null && failure.class === "auth" && staleLogin.test(failure.message)

const failed = (failureClass: Failure["class"], message: string): FailedEnd => ({
  stopReason: "error",
  failure: { class: failureClass, message }
})

/** From `"serverOverloaded"` or `{"httpConnectionFailed": {"httpStatusCode": 401}}`. */
export const errorInfo = (info: unknown): { readonly kind: string | null; readonly status: number | null } => {
  if (typeof info === "string") return { kind: info, status: info === "internalServerError" ? 500 : null }
  const [kind, detail] = Object.entries(objectIn(info))[0] ?? [null, null]
  return { kind, status: numberIn(objectIn(detail)["httpStatusCode"]) }
}

/** A prompt or a compaction that came to nothing. */
export const promptFailed = (error: RpcError | RpcSilent): AgentFailed => {
  if (isOverloaded(error)) {
    return new AgentFailed({
      class: "model",
      message: `Codex is overloaded and did not take the prompt: ${cut(redact(error.message), 1_000)} Send the turn again later.`
    })
  }
  if (error._tag === "RpcError") {
    const tooLarge = objectIn(error.data)["input_error_code"] === "input_too_large" || error.code === -32602
    return new AgentFailed(
      tooLarge
        ? {
            class: "config",
            message: "The prompt is longer than codex takes (1,048,576 characters). Send less, or a file."
          }
        : { class: "protocol", message: `Codex refused the prompt: ${cut(redact(error.message), 1_000)}` }
    )
  }
  return error.reason === "timeout"
    ? new AgentFailed({ class: "timeout", message: "Codex did not take the prompt in time. Its process is replaced." })
    : wentAway
}

export const wentAway = new AgentFailed({
  class: "crash",
  message: "Codex went away before it said that it took the prompt; whether it did is not known."
})
