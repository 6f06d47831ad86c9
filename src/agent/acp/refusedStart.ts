/**
 * What it means when an agent refuses to open or resume a conversation: that it does not know it any more, that something
 * is missing that a person has to mend, or anything else.
 *
 * Only the first may cost the conversation. So an error counts as such by its code, or by words about the conversation
 * itself, and never where it names another thing that was not found (a model, an executable, an MCP server).
 */
import { at, nonEmptyTextIn } from "../../domain/json.ts"
import type { Failure } from "../../domain/Turn.ts"
import type { RpcError } from "../RpcError.ts"
import * as Failures from "./failures.ts"
import type { AgentIdentity } from "./failures.ts"
import { line, sentence } from "./sentence.ts"

const textOf = (error: RpcError): string =>
  [error.message, nonEmptyTextIn(at(error.data, "details"))].filter((part) => part !== null).join(": ")

/** Something other than the conversation is not there. */
const isMissing = (error: RpcError): boolean =>
  /\b(models?|executable|command|binary|program|(mcp )?servers?|tool|module|package|plugin|extension|provider|profile)\b[^.;]{0,80}?\b(not (be )?found|not exist|missing|unknown|not installed|unavailable|failed to (start|initialize|connect))\b|\bENOENT\b|\b(unknown|no such|missing|invalid) (model|executable|command|program|mcp server|provider|profile)\b/i.test(
    textOf(error)
  )

/**
 * Claude: -32002. codex-acp: -32603 and "no rollout found". For ids of the wrong shape: -32603, with words of each. Gemini CLI, which
 * has none of a project: -32603, "No previous sessions found".
 */
export const isUnknownThread = (error: RpcError): boolean =>
  !isMissing(error) &&
  (error.code === Failures.notFound ||
    /no rollout found|requires a valid session ID|\b(invalid|unknown|no such) (session|conversation|thread|chat)\b|\b(session|conversation|thread|chat|rollout|checkpoint)\b[^.;]{0,80}?\b(not (be )?found|not exist|unknown|expired)\b|\bno (previous |saved )?(session|conversation|thread|chat|checkpoint)s?\b[^.;]{0,40}?\bfound\b/i.test(
      textOf(error)
    ))

/** Why the agent does not know the conversation, in its words. */
export const reasonOf = (error: RpcError): string =>
  line(nonEmptyTextIn(at(error.data, "details")) ?? error.message, 160)

/** The failure of a start. `thread` is the conversation that was to be resumed. */
export const ofStart = (identity: AgentIdentity, error: RpcError, thread: string | null): Failure => {
  if (error.code === Failures.authRequired || !isMissing(error)) {
    return Failures.ofError(identity, "to start the conversation", error)
  }
  const kept = thread === null ? "" : " The conversation is kept."
  return {
    class: "config",
    message: `${identity.name} can't start the conversation: ${sentence(textOf(error))} Mend its configuration or its installation, and send the turn again.${kept}`
  }
}
