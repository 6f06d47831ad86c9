/** The contract of approvals: permissions, the approvals that an agent requests, and the answer to one. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { ApprovalDecision, ApprovalStatus } from "../../domain/Approval.ts"
import { maxRules, PermissionMatch, PermissionPolicy, RuleOutcome } from "../../domain/Permissions.ts"
import { words } from "../../domain/permissionTable.ts"
import { Authorized } from "./Auth.ts"
import { SessionParams } from "./bodies.ts"
import { badRequests, ConflictProblem, NotFoundProblem, ownFaults } from "./Problem.ts"
import { Instant, Ok, wire, wireOf } from "./wire.ts"

// `then` is a key of the wire format and holds no function, so nothing awaits this object.
const PermissionRule = wire("PermissionRule", {
  match: wireOf(PermissionMatch, "PermissionMatch", {
    description:
      "All that is named here must be so, and at least one thing is named. A rule that approves reads or edits without a `path` does so below the session's directory."
  }),
  // oxlint-disable-next-line unicorn/no-thenable
  then: RuleOutcome
})

const meanings = PermissionPolicy.literals.map((word) => `\`${word}\`: ${words[word].meaning}`).join(" ")

/** A policy, or rules in front of one. */
export const Permissions = Schema.Union([
  PermissionPolicy.annotate({ description: meanings }),
  wire(
    "PermissionRules",
    {
      default: PermissionPolicy,
      rules: Schema.Array(PermissionRule).annotate({ description: `At most ${maxRules}.` })
    },
    { description: "The first rule that matches decides; where none does, `default`." }
  )
])

const approvalFields = {
  approvalId: Schema.String,
  turnIndex: Schema.Int,
  kind: Schema.String.annotate({ description: "ACP's tool kind, such as `edit` or `execute`." }),
  title: Schema.String.annotate({ description: "One line for a person." }),
  toolCallId: Schema.NullOr(Schema.String),
  raw: Schema.Json.annotate({ description: "The agent's own request, bounded." }),
  createdAt: Instant,
  deadlineAt: Instant.annotate({ description: "Unanswered by then it is a no." }),
  status: ApprovalStatus,
  decision: Schema.NullOr(ApprovalDecision),
  decidedBy: Schema.NullOr(Schema.String),
  settledAt: Schema.NullOr(Instant)
}

export const Approval = wire("Approval", approvalFields)

export class ApprovalsGroup extends HttpApiGroup.make("approvals")
  .add(
    HttpApiEndpoint.get("list", "/sessions/:id/approvals", {
      params: SessionParams,
      success: wire("ApprovalList", { ok: Ok, count: Schema.Int, approvals: Schema.Array(Approval) }),
      error: [NotFoundProblem, ...ownFaults]
    }).annotate(OpenApi.Summary, "What the session's agent waits for, oldest first"),
    HttpApiEndpoint.post("answer", "/sessions/:id/approvals/:approval_id", {
      params: { ...SessionParams, approval_id: Schema.String },
      payload: wire("AnswerApproval", { decision: ApprovalDecision }, { example: { decision: "once" } }),
      success: wire("AnsweredApproval", { ok: Ok, ...approvalFields }),
      error: [...badRequests, NotFoundProblem, ConflictProblem, ...ownFaults]
    }).annotate(OpenApi.Summary, "Answer one: for once, for as long as the agent's process lives, or no")
  )
  .middleware(Authorized)
  .annotate(OpenApi.Description, "Leave that an agent asks for. Also told in the session's stream of events.") {}
