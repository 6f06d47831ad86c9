/** Who may do what without being asked, by the session's `permissions`. */
import type { ApprovalDecision } from "../agent/Agent.ts"
import type { Permissions } from "../domain/Session.ts"

/** ACP's tool kinds that look and don't touch. `fetch` is not one of them: it tells the world what it asks for. */
const reads: ReadonlySet<string> = new Set(["read", "search"])

/** `ask` without anybody to ask is a no: nobody is listening. */
export const byPolicy = (permissions: Permissions, kind: string): ApprovalDecision => {
  switch (permissions) {
    case "approve_all":
      return "once"
    case "approve_reads":
      return reads.has(kind) ? "once" : "deny"
    case "deny":
    case "ask":
      return "deny"
  }
}
