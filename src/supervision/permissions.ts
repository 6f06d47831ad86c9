/** Who may do what without being asked, by the session's `permissions`: its rules in their order, then its policy. */
import type { ApprovalDecision } from "../domain/Approval.ts"
import { policyOf } from "../domain/Session.ts"
import type { Permissions, PermissionPolicy, RuleOutcome } from "../domain/Session.ts"

/** ACP's tool kinds that look and don't touch. `fetch` is not one of them: it tells the world what it asks for. */
const reads: ReadonlySet<string> = new Set(["read", "search"])

export type PermissionOutcome = Exclude<ApprovalDecision, "session"> | "ask"

export interface PermissionDecision {
  readonly outcome: PermissionOutcome
  /** The policy's word, or `rule 1` for the first rule: what the audit trail names. */
  readonly by: string
}

export const decidePermission = (
  permissions: Permissions,
  { kind, title }: { readonly kind: string; readonly title: string }
): PermissionDecision => {
  const rules = typeof permissions === "string" ? [] : permissions.rules
  for (const [nth, { match, then }] of rules.entries()) {
    const isKind = match.kind === undefined || match.kind === kind
    if (isKind && title.startsWith(match.titlePrefix ?? "")) return { outcome: outcomes[then], by: `rule ${nth + 1}` }
  }
  const policy = policyOf(permissions)
  return { outcome: byPolicy(policy, kind), by: policy }
}

const outcomes: Readonly<Record<RuleOutcome, PermissionOutcome>> = { approve: "once", deny: "deny", ask: "ask" }

const byPolicy = (policy: PermissionPolicy, kind: string): PermissionOutcome => {
  switch (policy) {
    case "approve_all":
      return "once"
    case "approve_reads":
      return reads.has(kind) ? "once" : "deny"
    case "deny":
    case "ask":
      return policy
  }
}
