/** Why a turn failed, by class and in words that say what to do. Codex's own words are kept, secrets are not. */
import type { Failure, StopReason } from "../../domain/Turn.ts"
import { redact } from "../redact.ts"
import { resetIn } from "../resetTime.ts"
import { numberIn, objectIn, textIn } from "../../domain/json.ts"

/** How a failed turn ends. */
export type FailedEnd = { readonly stopReason: StopReason; readonly failure: Failure | null }

/**
 * From a `TurnError`: `{message, codexErrorInfo: string | {kind: {httpStatusCode}} | null, additionalDetails}`. `at`: when
 * the turn ended, where codex tells, in milliseconds since 1970.
 */
export const failedEnd = (error: unknown, at: number | null = null): FailedEnd => {
  const { message: text, codexErrorInfo } = objectIn(error)
  const said = redact(textIn(text) ?? "no reason given").slice(0, 2_000)
  const { kind, status } = errorInfo(codexErrorInfo)

  // The model's answer was cut short: a way to end, not a failure. `Incomplete response returned, reason: …` is all
  // that codex tells of it.
  if (said.startsWith("Incomplete response returned, reason: max_output_tokens")) {
    return { stopReason: "max_tokens", failure: null }
  }
  if (said.startsWith("Incomplete response returned, reason: content_filter")) {
    return { stopReason: "refusal", failure: null }
  }
  if (status === 401 || status === 403 || kind === "unauthorized") {
    return failed(
      "auth",
      `The model's provider refused codex's login (HTTP ${status ?? 401}): ${said}. Log in again with "codex login", or renew the key that its provider reads.`
    )
  }
  if (kind === "usageLimitExceeded" || kind === "sessionBudgetExceeded") {
    const message = `Codex's usage limit is reached: ${said} Wait until it resets, or raise it.`
    return { stopReason: "error", failure: { class: "quota", message, ...resetIn(said, at) } }
  }
  if (said.startsWith("Missing environment variable")) {
    return failed("config", `${said} Set it for Troupe and name it in the agent's "inheritEnv", or set it in "env".`)
  }
  if (kind === "modelNotFound") {
    return failed("config", `${said} Give the session a model that the provider has.`)
  }
  if (kind === "httpConnectionFailed" && status === null) {
    return failed("model", `Codex could not reach the model's provider: ${said}. Check its address and the network.`)
  }
  return failed("model", `The model's provider failed${status === null ? "" : ` (HTTP ${status})`}: ${said}`)
}

const failed = (failureClass: Failure["class"], message: string): FailedEnd => ({
  stopReason: "error",
  failure: { class: failureClass, message }
})

/** `"serverOverloaded"` or `{"httpConnectionFailed": {"httpStatusCode": 401}}`; the status, where there is one. */
export const errorInfo = (info: unknown): { readonly kind: string | null; readonly status: number | null } => {
  if (typeof info === "string") return { kind: info, status: info === "internalServerError" ? 500 : null }
  const [kind, detail] = Object.entries(objectIn(info))[0] ?? [null, null]
  return { kind, status: numberIn(objectIn(detail)["httpStatusCode"]) }
}
