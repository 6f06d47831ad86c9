/** Requests for permission: what is asked, in one line for a person, and the answer in the agent's own options. */
import type { ApprovalDecision } from "../Agent.ts"
import { listIn, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import { line } from "./sentence.ts"

/** What `session/request_permission` asks for, merged with what was said of the tool call before. */
export interface PermissionRequest {
  readonly sessionId: string | null
  readonly toolCallId: string | null
  /** `null`: not said here. With typed failures on, both adapters say it in the tool call's first update only. */
  readonly kind: string | null
  readonly title: string | null
  readonly options: ReadonlyArray<Option>
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
    kind: nonEmptyTextIn(call["kind"]),
    title: titleOf(call),
    options: listIn(options).flatMap((option) => {
      const { kind, optionId } = objectIn(option)
      return typeof optionId === "string" ? [{ id: optionId, kind: nonEmptyTextIn(kind) ?? "" }] : []
    })
  }
}

const titleOf = (call: JsonObject): string | null => {
  const title = nonEmptyTextIn(call["title"])
  if (title !== null) return line(title)
  const command = nonEmptyTextIn(objectIn(call["rawInput"])["command"])
  return command === null ? null : line(command)
}

/** ACP's `RequestPermissionResponse`. */
export type Outcome =
  | { readonly outcome: { readonly outcome: "selected"; readonly optionId: string } }
  | { readonly outcome: { readonly outcome: "cancelled" } }

export const cancelled: Outcome = { outcome: { outcome: "cancelled" } }

/** The kinds of option that say what was decided, the closest first (ACP schema, `PermissionOptionKind`). */
const kinds: Readonly<Record<ApprovalDecision, ReadonlyArray<string>>> = {
  once: ["allow_once"],
  session: ["allow_always", "allow_once"],
  deny: ["reject_once", "reject_always"]
}

/**
 * Picked by kind, since the ids are each agent's own. Where no option says what was decided the answer is `cancelled`,
 * which every agent takes for a no: a yes for once is never stretched to a yes for ever.
 */
export const outcome = (request: PermissionRequest, kind: string, decision: ApprovalDecision): Outcome => {
  // In a request to change the mode (Claude's way out of planning), "always" would mean: and stop asking me.
  const wanted = kind === "switch_mode" && decision === "session" ? kinds.once : kinds[decision]
  for (const kind of wanted) {
    const option = request.options.find((option) => option.kind === kind)
    if (option !== undefined) return { outcome: { outcome: "selected", optionId: option.id } }
  }
  return cancelled
}
