/** What the tools take and give. Names are those of the HTTP API. */
import { Schema } from "effect"
import { ApprovalDecision, ApprovalStatus } from "../../domain/Approval.ts"
import { PermissionPolicy } from "../../domain/Permissions.ts"
import { Answers, QuestionField } from "../../domain/Question.ts"
import { SessionState } from "../../domain/Session.ts"
import { FailureClass, maxTimeoutMillis, TurnStatus } from "../../domain/Turn.ts"

/** Below the minute after which most hosts give a call up. */
export const defaultWaitSeconds = 45
export const longestWaitSeconds = 600

const text = (description: string) => Schema.NonEmptyString.annotate({ description })
const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(schema)
const whole = (minimum: number, maximum: number, description: string) =>
  Schema.Int.check(Schema.isBetween({ minimum, maximum })).annotate({ description })

const sessionId = text("A session's id, from agent_start or sessions_list.")
const turnNumber = whole(1, Number.MAX_SAFE_INTEGER, "A turn's number in its session, from 1.")
const waitFor = (otherwise: number) =>
  optional(
    Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: longestWaitSeconds })).annotate({
      description: `How many seconds to wait for the turn's end before answering; ${otherwise} by default. Keep it below your own limit for a tool call: the turn goes on in any case.`
    })
  )
const idempotencyKey = optional(
  Schema.NonEmptyString.check(Schema.isMaxLength(255)).annotate({
    description:
      "A name that you choose for this call. The same call under the same name has one effect, however often it is sent."
  })
)
const turnFields = {
  model: optional(text("A model of the agent's; else the session's.")),
  mode: optional(text("A mode of the agent's that widens no permission, such as Claude's plan; else the session's.")),
  effort: optional(text("How much the model thinks, such as high; else the session's.")),
  timeout_s: optional(
    Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(maxTimeoutMillis / 1000)).annotate({
      description: "The turn's deadline in seconds; else the configured one."
    })
  )
}

export const AgentStart = Schema.Struct({
  prompt: optional(
    text("What the agent is to do: the session's first turn. Without it the session waits for agent_send.")
  ),
  agent: optional(text("Which agent, from agents_list; else the default one.")),
  cwd: optional(text("An existing directory that it works in, absolute. Else as this server was started.")),
  permissions: optional(
    PermissionPolicy.annotate({
      description:
        "What it may do without asking. What it has to ask for comes as an approval under ask and approve_edits, for agent_answer; under the others it is refused."
    })
  ),
  system_prompt: optional(Schema.String.annotate({ description: "Added to the agent's own system prompt." })),
  ...turnFields,
  wait_s: waitFor(0),
  idempotency_key: idempotencyKey
})

export const AgentSend = Schema.Struct({
  session_id: sessionId,
  prompt: text("What the agent is to do next."),
  queue: optional(
    Schema.Boolean.annotate({
      description: "Wait in line where a turn runs, instead of being refused. Default: false."
    })
  ),
  steer: optional(
    Schema.Boolean.annotate({
      description: "Add the words to the turn that runs, instead of submitting a turn. Refused where none runs."
    })
  ),
  ...turnFields,
  wait_s: waitFor(0),
  idempotency_key: idempotencyKey
})

export const AgentWait = Schema.Struct({
  session_id: sessionId,
  turn: optional(turnNumber),
  wait_s: waitFor(defaultWaitSeconds),
  cursor: optional(
    whole(0, Number.MAX_SAFE_INTEGER, "The cursor of the answer before: activity is what came after it.")
  )
})

export const AgentStatus = Schema.Struct({ session_id: sessionId })

export const AgentCancel = Schema.Struct({
  session_id: sessionId,
  turn: optional(turnNumber),
  close: optional(
    Schema.Boolean.annotate({ description: "Also close the session for good. Its messages can still be read." })
  )
})

export const AgentAnswer = Schema.Struct({
  session_id: sessionId,
  approval_id: text("From approvals of agent_wait or agent_status."),
  decision: ApprovalDecision.annotate({
    description: "once: yes, this time. session: yes, and for the like while the agent's process runs. deny: no."
  }),
  answers: optional(
    Answers.annotate({ description: "Of a question (one with fields): a value for each required field, by its id." })
  )
})

export const SessionsList = Schema.Struct({
  state: optional(Schema.Literals([...SessionState.literals, "open"]).annotate({ description: "Else all of them." })),
  limit: optional(whole(1, 100, "How many at most, 1 to 100; else 20.")),
  cursor: optional(text("next_cursor of the page before."))
})

export const Messages = Schema.Struct({
  session_id: sessionId,
  after_turn: optional(whole(0, Number.MAX_SAFE_INTEGER, "Only turns after this one; else from the first.")),
  limit: optional(whole(1, 50, "How many turns at most, 1 to 50; else 10."))
})

export const AgentsList = Schema.Struct({})

const Approval = Schema.Struct({
  approval_id: Schema.String,
  kind: Schema.String,
  title: Schema.String,
  fields: Schema.NullOr(Schema.Array(QuestionField)),
  status: ApprovalStatus,
  decision: Schema.NullOr(ApprovalDecision),
  deadline_at: Schema.String
})
export type ApprovalReport = typeof Approval.Type

const Usage = Schema.Struct({
  input_tokens: Schema.Int,
  cached_input_tokens: Schema.Int,
  output_tokens: Schema.Int,
  reasoning_tokens: Schema.Int,
  total_tokens: Schema.Int
})

const next = Schema.String.annotate({ description: "What to call next." })

export const TurnReport = Schema.Struct({
  session_id: Schema.String,
  agent: Schema.String,
  turn: Schema.NullOr(Schema.Int).annotate({ description: "null: no turn was submitted yet." }),
  status: Schema.Literals(["idle", "needs_answer", ...TurnStatus.literals]),
  done: Schema.Boolean.annotate({ description: "The turn has its final status, and final_text is its answer." }),
  final_text: Schema.NullOr(Schema.String).annotate({
    description: "What the agent has said last; of a turn that still runs, as far as it came."
  }),
  truncated: Schema.Boolean.annotate({ description: "final_text is cut: the resource of the session has all of it." }),
  error: Schema.NullOr(Schema.String),
  error_class: Schema.NullOr(FailureClass),
  approvals: Schema.Array(Approval),
  activity: Schema.Array(Schema.String).annotate({ description: "What the agent did last, newest last." }),
  cursor: Schema.NullOr(Schema.Int),
  usage: Schema.NullOr(Usage),
  next
})
export type TurnReport = typeof TurnReport.Type

export const SessionReport = Schema.Struct({
  session_id: Schema.String,
  agent: Schema.String,
  state: SessionState,
  turns: Schema.Int,
  cwd: Schema.String,
  model: Schema.NullOr(Schema.String),
  permissions: Schema.String,
  created_at: Schema.String,
  last_turn_at: Schema.NullOr(Schema.String),
  closed_at: Schema.NullOr(Schema.String),
  parked: Schema.NullOr(Schema.String)
})
export type SessionReport = typeof SessionReport.Type

export const StatusReport = Schema.Struct({
  ...SessionReport.fields,
  process: Schema.String,
  approvals: Schema.Array(Approval),
  usage: Usage,
  next
})
export const CancelReport = Schema.Struct({
  session_id: Schema.String,
  interrupted: Schema.Boolean.annotate({ description: "false: nothing ran that could be stopped." }),
  closed: Schema.Boolean,
  next
})
export const AnswerReport = Schema.Struct({ ...Approval.fields, session_id: Schema.String, turn: Schema.Int, next })
export const SessionsReport = Schema.Struct({
  sessions: Schema.Array(SessionReport),
  count: Schema.Int.annotate({ description: "How many match in all." }),
  next_cursor: Schema.NullOr(Schema.String)
})
export const MessagesReport = Schema.Struct({
  session_id: Schema.String,
  messages: Schema.Array(
    Schema.Struct({
      turn: Schema.Int,
      role: Schema.String,
      text: Schema.String,
      tool_calls: Schema.Array(Schema.String)
    })
  ),
  truncated: Schema.Boolean.annotate({ description: "Long texts were cut." }),
  next_after_turn: Schema.NullOr(Schema.Int).annotate({
    description: "after_turn of the next page; null: that is all."
  })
})
export const AgentsReport = Schema.Struct({
  agents: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      available: Schema.Boolean,
      version: Schema.NullOr(Schema.String),
      hint: Schema.NullOr(Schema.String)
    })
  )
})
