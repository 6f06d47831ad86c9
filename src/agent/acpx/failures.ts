/** acpx's own errors and exit codes, by Troupe's names. */
import type { Failure } from "../../domain/Turn.ts"
import * as Failures from "../acp/failures.ts"
import type { AgentIdentity } from "../acp/failures.ts"
import { sentence } from "../acp/sentence.ts"
import type { Exit } from "../Processes.ts"
import type { AcpxError } from "./Transcript.ts"

/** The record is there but the agent does not know the session any more, as after the death of Claude's own process. */
export const isUnknownSession = ({ acpxCode }: AcpxError): boolean => acpxCode === "NO_SESSION"

export const ofAcpxError = (who: AgentIdentity, { acpxCode, detailCode, message }: AcpxError): Failure => {
  const said = sentence(message)
  const code = detailCode ?? acpxCode
  switch (code) {
    case "AUTH_REQUIRED":
      return { class: "auth", message: `${who.name} is not logged in (${said}). ${who.logIn}, and try again.` }
    case "AGENT_SPAWN_ENOENT":
      return { class: "config", message: `acpx did not find ${who.name}: ${said} Install it, or put it on PATH.` }
    case "AGENT_DISCONNECTED":
    case "AGENT_STARTUP_FAILED":
    case "NO_SESSION":
    case "QUEUE_DISCONNECTED_BEFORE_COMPLETION":
      return { class: "crash", message: `${who.name} is gone under acpx (${code}): ${said} Send the turn again.` }
    case "TIMEOUT":
      return { class: "timeout", message: `acpx gave up waiting for ${who.name}: ${said} Send the turn again.` }
    case "USAGE":
      return refusedCommand(said)
    default:
      return Failures.ofText(who, said)
  }
}

/** For a command that ended without an answer. 0 is no answer either: a prompt's answer is its result line. */
export const ofExit = (who: AgentIdentity, { code, signal }: Exit, stderr: string): Failure => {
  // Its own lines only say where it stands.
  const lines = stderr.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("[acpx]"))
  const last = sentence(lines.at(-1) ?? "")
  const why = last === "" ? "" : ` It said last: ${last}`
  if (code === 2) return refusedCommand(last)
  const how = signal === null ? `exit code ${code ?? "unknown"}` : signal
  return { class: "crash", message: `acpx ended (${how}) without an answer of ${who.name}.${why} Send the turn again.` }
}

const refusedCommand = (said: string): Failure => ({
  class: "config",
  message: `acpx refused how it was called: ${said} Troupe is made for acpx 0.19; install that version, or use the agent without acpx.`
})
