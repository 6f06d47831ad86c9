/** Who may do what without being asked, by the session's `permissions`: its rules in their order, then its policy. */
import type { ApprovalDecision } from "../domain/Approval.ts"
import { policyOf, rulesOf, unknownKeysOf } from "../domain/Permissions.ts"
import type {
  PermissionMatch,
  PermissionPolicy,
  PermissionRule,
  Permissions,
  RuleOutcome
} from "../domain/Permissions.ts"
import { kindsOf } from "../domain/RequestedAction.ts"
import type { RequestedAction } from "../domain/RequestedAction.ts"
import type { Placement } from "./placement.ts"

export type PermissionOutcome = Exclude<ApprovalDecision, "session"> | "ask"

export interface PermissionDecision {
  readonly outcome: PermissionOutcome
  /** The policy's word, `rule 1` for the first rule, `attachment` or `sub-agent`: what the audit trail names. */
  readonly by: string
}

export interface Asked {
  readonly action: RequestedAction
  readonly placement: Placement
}

export const decidePermission = (permissions: Permissions, asked: Asked): PermissionDecision => {
  for (const [index, rule] of rulesOf(permissions).entries()) {
    if (matches(rule, asked)) return { outcome: outcomes[rule.then], by: `rule ${index + 1}` }
  }
  // The app gave these files to the agent: under every word it may read them.
  if (asked.action._tag === "Read" && asked.placement.attached) return { outcome: "once", by: "attachment" }
  // It does nothing by itself, and each of its calls is decided as one of the agent's.
  if (asked.action._tag === "SubAgent") return { outcome: "once", by: "sub-agent" }
  const policy = policyOf(permissions)
  return { outcome: byPolicy(policy, asked), by: policy }
}

const outcomes: Readonly<Record<RuleOutcome, PermissionOutcome>> = { approve: "once", deny: "deny", ask: "ask" }

/** A key that this version does not know makes a rule match less where it approves, and more where it does not. */
const matches = ({ match, then }: PermissionRule, asked: Asked): boolean => {
  const approves = then === "approve"
  if (approves && unknownKeysOf(match).length > 0) return false
  return (
    isKind(match, asked.action) &&
    isCommand(match, asked.action) &&
    isPlace(match, asked.placement, approves) &&
    (!approves || isNamed(match, asked))
  )
}

const isKind = ({ kind }: PermissionMatch, { _tag }: RequestedAction): boolean => {
  const kinds: ReadonlyArray<string> = kindsOf[_tag]
  return kind === undefined || kinds.includes(kind)
}

const isCommand = ({ command }: PermissionMatch, action: RequestedAction): boolean => {
  if (command === undefined) return true
  if (action._tag !== "Command" || action.argv === null) return false
  const open = command.at(-1) === "*"
  const words = open ? command.slice(0, -1) : command
  const isLongEnough = open ? action.argv.length >= words.length : action.argv.length === words.length
  return isLongEnough && words.every((word, index) => action.argv?.[index] === word)
}

/** A rule that approves needs all files below its path; one that does not, any of them. */
const isPlace = ({ path }: PermissionMatch, placement: Placement, approves: boolean): boolean => {
  if (path === undefined) return true
  return approves ? placement.allBelow(path) : placement.anyBelow(path)
}

/** Files that a rule without a path approves are the session's own, and known; a command runs among them. */
const isNamed = ({ path }: PermissionMatch, { action, placement }: Asked): boolean => {
  if (action._tag === "Command") return !placement.elsewhere
  if (path !== undefined) return true
  if (action._tag === "Read") return placement.inside
  return action._tag !== "Edit" || (placement.inside && !placement.protected)
}

const byPolicy = (policy: PermissionPolicy, { action, placement }: Asked): PermissionOutcome => {
  const reads = action._tag === "Read" && placement.inside
  switch (policy) {
    case "approve_all":
      return "once"
    case "approve_reads":
      return reads ? "once" : "deny"
    case "approve_edits":
      return reads || (action._tag === "Edit" && placement.inside && !placement.protected) ? "once" : "ask"
    case "deny":
    case "ask":
      return policy
  }
}
