/** Classifies acpx's own errors and exit codes. */
import type { Failure } from "../../domain/Turn.ts"
import * as Failures from "../acp/failures.ts"
import type { AgentIdentity } from "../acp/failures.ts"
import { sentence } from "../acp/sentence.ts"
import type { Exit } from "../Child.ts"
import { missingProgram } from "../missingProgram.ts"
import type { AcpxError } from "./Transcript.ts"

/** acpx has the record, but the agent does not know the session any more, as after the death of Claude's own process. */
export const isUnknownSession = ({ acpxCode }: AcpxError): boolean => acpxCode === "NO_SESSION"

export const ofAcpxError = (identity: AgentIdentity, { acpxCode, detailCode, message }: AcpxError): Failure => {
  const { logIn, name } = identity
  const reason = sentence(message)
  const code = detailCode ?? acpxCode
  switch (code) {
    case "AUTH_REQUIRED":
      return { class: "auth", message: `${name} is not logged in (${reason}). ${logIn}, and try again.` }
    case "AGENT_SPAWN_ENOENT":
      return { class: "config", message: `acpx did not find ${name}: ${reason} Install it, or put it on PATH.` }
    case "AGENT_DISCONNECTED":
    case "AGENT_STARTUP_FAILED":
    case "NO_SESSION":
    case "QUEUE_DISCONNECTED_BEFORE_COMPLETION":
      return { class: "crash", message: `${name} is gone under acpx (${code}): ${reason} Send the turn again.` }
    case "TIMEOUT":
      return { class: "timeout", message: `acpx gave up waiting for ${name}: ${reason} Send the turn again.` }
    case "USAGE":
      return commandRefused(reason)
    default:
      return Failures.ofText(identity, reason)
  }
}

/** Of a command that ended without an answer; `noise`: the sentence about its lines that are no message. Exit code 0 is no answer either: a prompt's answer is its result line. */
export const ofExit = ({ name }: AgentIdentity, { code, signal }: Exit, stderr: string, noise = ""): Failure => {
  const missing = missingProgram("acpx", { code, signal }, stderr)
  if (missing !== null) return missing
  // acpx's own lines only report its progress.
  const lines = stderr.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("[acpx]"))
  const last = sentence(lines.at(-1) ?? "")
  const lastWords = last === "" ? "" : ` It said last: ${last}`
  if (code === 2) return commandRefused(last)
  const how = signal === null ? `exit code ${code ?? "unknown"}` : signal
  return {
    class: "crash",
    message: `acpx ended (${how}) without an answer of ${name}.${lastWords}${noise} Send the turn again.`
  }
}

const commandRefused = (reason: string): Failure => ({
  class: "config",
  message: `acpx refused how it was called: ${reason} Troupe is made for acpx 0.19; install that version, or use the agent without acpx.`
})
