/** The contract of approvals: permissions, what an agent asks a person, permission or a question, and the answer to one. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { ApprovalDecision, ApprovalStatus } from "../../domain/Approval.ts"
import { maxRules, PermissionMatch, PermissionPolicy, RuleOutcome } from "../../domain/Permissions.ts"
import { words } from "../../domain/permissionTable.ts"
import {
  AnswerValue,
  QuestionField as QuestionFieldFields,
  QuestionOption,
  StoredAnswers
} from "../../domain/Question.ts"
import { Authorized } from "./Auth.ts"
import { SessionParams } from "./bodies.ts"
import { badRequests, ConflictProblem, ForbiddenProblem, NotFoundProblem, ownFaults } from "./Problem.ts"
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

const QuestionField = wire("QuestionField", {
  ...QuestionFieldFields.fields,
  id: Schema.String.annotate({ description: "The key of its answer." }),
  type: QuestionFieldFields.fields.type.annotate({
    description:
      "What it takes: a text, a number, a boolean, the `value` of one option (`choice`), or a list of them (`choices`)."
  }),
  options: Schema.optionalKey(Schema.Array(wireOf(QuestionOption, "QuestionOption"))),
  other: Schema.optionalKey(
    Schema.Boolean.annotate({ description: "A `choice` or `choices` takes texts that are no option, too." })
  ),
  secret: Schema.optionalKey(
    Schema.Boolean.annotate({ description: "Its answer goes to the agent, and is neither stored nor shown." })
  )
})

const approvalFields = {
  approvalId: Schema.String,
  turnIndex: Schema.Int,
  kind: Schema.String.annotate({
    description:
      "ACP's tool kind, such as `edit` or `execute`, by what is asked, not by what the agent calls it; `question` where it has `fields`."
  }),
  title: Schema.String.annotate({ description: "One line for a person." }),
  toolCallId: Schema.NullOr(Schema.String),
  raw: Schema.Json.annotate({ description: "The agent's own request, bounded." }),
  fields: Schema.NullOr(Schema.Array(QuestionField)).annotate({
    description: "What a question wants to know. Null: the agent asks for permission."
  }),
  answers: Schema.NullOr(StoredAnswers).annotate({
    description: "What was answered to a question, by its fields' ids; null in it stands for an answer that is secret."
  }),
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
      payload: wire(
        "AnswerApproval",
        {
          decision: ApprovalDecision,
          answers: Schema.optionalKey(
            Schema.Record(Schema.String, AnswerValue).annotate({
              description:
                "To a question, with `once`: a value for each of its required fields, by its id. A question is declined with `deny`, and `session` answers none."
            })
          )
        },
        { example: { decision: "once" } }
      ),
      success: wire("AnsweredApproval", { ok: Ok, ...approvalFields }),
      error: [...badRequests, ForbiddenProblem, NotFoundProblem, ConflictProblem, ...ownFaults]
    }).annotate(
      OpenApi.Summary,
      "Answer one: for once, for as long as the agent's process lives, or no; a question with its answers"
    )
  )
  .middleware(Authorized)
  .annotate(
    OpenApi.Description,
    "What an agent asks a person: for leave, or a question with fields. Also told in the session's stream of events."
  ) {}
