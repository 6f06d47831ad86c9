/** Permission requests of ACP: reads what is asked, and writes a decision as one of the agent's own options. */
import { listIn, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { ApprovalDecision } from "../Agent.ts"
import { factsIn } from "./callFacts.ts"
import type { CallFacts } from "./callFacts.ts"

/** A `session/request_permission`. */
export interface PermissionRequest {
  readonly sessionId: string | null
  readonly toolCallId: string | null
  /** What this request says; the tool call's earlier updates may say more. */
  readonly facts: CallFacts
  readonly options: ReadonlyArray<Option>
  /** The tool call as the request describes it. */
  readonly toolCall: JsonObject
}

interface Option {
  readonly id: string
  readonly kind: string
}

export const read = (params: unknown): PermissionRequest => {
  const { options, sessionId, toolCall } = objectIn(params)
  const call = objectIn(toolCall)
  return {
    sessionId: nonEmptyTextIn(sessionId),
    toolCallId: nonEmptyTextIn(call["toolCallId"]),
    facts: factsIn(call),
    toolCall: call,
    options: listIn(options).flatMap((option) => {
      const { kind, optionId } = objectIn(option)
      return typeof optionId === "string" ? [{ id: optionId, kind: nonEmptyTextIn(kind) ?? "" }] : []
    })
  }
}

/** ACP's `RequestPermissionResponse`. */
export type Outcome =
  | { readonly outcome: { readonly outcome: "selected"; readonly optionId: string } }
  | { readonly outcome: { readonly outcome: "cancelled" } }

export const cancelled: Outcome = { outcome: { outcome: "cancelled" } }

/** The kinds of option that express a decision, the closest first (ACP schema, `PermissionOptionKind`). */
const optionKinds: Readonly<Record<ApprovalDecision, ReadonlyArray<string>>> = {
  once: ["allow_once"],
  session: ["allow_always", "allow_once"],
  deny: ["reject_once", "reject_always"]
}

/**
 * Options that are kept on the disk, so that they would allow more than this session: codex-acp adds a rule to CODEX_HOME,
 * Claude Code to the repository's `.claude/settings.local.json`, Gemini CLI to the user's policies. "Always" is the kind
 * of all of them, so they are known by their ids.
 */
const outlivesSession =
  /^(?:accept_execpolicy_amendment|apply_network_policy_amendment(?::.*)?|allow_always|allow-with-updates|allow-skill-.*|exit-plan-.*|proceed_always_and_save)$/

/**
 * The option that expresses the decision, chosen by its kind, because the ids are each agent's own.
 *
 * Where no option does, the outcome is `cancelled`, which every agent takes for a no: a yes for once is never widened to
 * a yes for ever, and a yes for the session neither.
 */
export const outcome = (request: PermissionRequest, kind: string, decision: ApprovalDecision): Outcome => {
  // In a request to change the mode (Claude's way out of planning), "always" would also mean: and stop asking.
  const kindsInOrder = kind === "switch_mode" && decision === "session" ? optionKinds.once : optionKinds[decision]
  for (const optionKind of kindsInOrder) {
    const option = request.options.find(
      ({ id, kind }) => kind === optionKind && !(kind === "allow_always" && outlivesSession.test(id))
    )
    if (option !== undefined) return { outcome: { outcome: "selected", optionId: option.id } }
  }
  return cancelled
}
