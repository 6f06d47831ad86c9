/** The parts that several endpoints share: parameters, pages, usage, a turn's result. */
import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import { Cost } from "../../domain/Cost.ts"
import { Message } from "../../domain/Message.ts"
import { ContentBlock, maxContentBlocks } from "../../domain/PromptContent.ts"
import { FailureClass, maxTimeoutMillis, StopReason, TurnStatus } from "../../domain/Turn.ts"
import type { RecoveredOutcome } from "../../domain/Turn.ts"
import type { TurnOutcome } from "../../domain/TurnOutcome.ts"
import { Instant, Ok, WholeNumber, wire, wireOf } from "./wire.ts"

/** A path takes any id: the service decides whether the session exists and whose it is. */
export const SessionParams = { id: Schema.String.annotate({ description: "A session's id." }) }

export const TurnIndex = WholeNumber("The turn's index, from 1.", { minimum: 1 })

export const PageQuery = {
  limit: Schema.optionalKey(WholeNumber("How many at most: 1 to 200, else 50.", { minimum: 1, maximum: 200 })),
  cursor: Schema.optionalKey(Schema.NonEmptyString.annotate({ description: "`next_cursor` of the page before." }))
}
export const defaultLimit = 50

/** `null` on the last page. */
export const NextCursor = Schema.NullOr(Schema.String)

export const IdempotencyHeaders = {
  "idempotency-key": Schema.optionalKey(
    Schema.NonEmptyString.check(Schema.isMaxLength(255)).annotate({
      description:
        "The same key and body from the same app get the first answer again for 24 hours, with `idempotent-replayed: true`, and nothing runs twice, also where Troupe was killed in between: what was accepted then answers with what came of it, and what was not runs now. While the first request runs, the second waits for its answer. A refusal keeps no key. Another body is 422. A turn has its key as long as its session is kept."
    })
  )
}

export const Prompt = Schema.NonEmptyString.annotate({ examples: ["Fix the failing test."] }).annotateKey({
  messageMissingKey: "is missing; it takes a non-empty string"
})

/** Text, or content blocks as ACP has them, whose keys are ACP's own on both sides. */
export const PromptOrBlocks = Schema.Union([
  Schema.NonEmptyString.annotate({ examples: ["Fix the failing test."] }),
  Schema.Array(ContentBlock).check(Schema.isMinLength(1), Schema.isMaxLength(maxContentBlocks)).annotate({
    description:
      "Text, images and resources in order, as content blocks of the Agent Client Protocol. An image has at most 5 MiB; an agent that takes none is refused (`capabilities.images` of `GET /agents`)."
  })
]).annotateKey({ messageMissingKey: "is missing; it takes a non-empty string, or content blocks" })

/** Of a session, or of one turn. */
export const Model = Schema.NonEmptyString.annotate({ description: "One of `choices.models`; else the agent's own." })
export const Mode = Schema.NonEmptyString.annotate({
  description: "One of `choices.modes` that widens no permission, such as Claude's `plan`; else the agent's own."
})
export const Effort = Schema.NonEmptyString.annotate({
  description: "How much the model thinks: one of `choices.efforts`, such as `high`; else the agent's own."
})

export const FileIds = Schema.Array(Schema.NonEmptyString).check(Schema.isMaxLength(64)).annotate({
  description:
    "Ids from `POST /files`; the files' paths are put in front of the prompt, and an agent that sees images gets those among them as images, too."
})

const maxTimeoutSeconds = maxTimeoutMillis / 1000
export const TimeoutSeconds = Schema.Finite.check(
  Schema.isGreaterThan(0),
  Schema.isLessThanOrEqualTo(maxTimeoutSeconds)
).annotate({
  description: `Deadline in seconds, in place of the configured one: more than 0, at most ${maxTimeoutSeconds}.`
})

export const Usage = wire("Usage", {
  inputTokens: Schema.Int,
  cachedInputTokens: Schema.Int,
  outputTokens: Schema.Int,
  reasoningTokens: Schema.Int,
  totalTokens: Schema.Int
})

/** The fields of JSON-RPC; their contents are of the Agent Client Protocol, as the agent sent them. */
export const AcpMessage = wire(
  "AcpMessage",
  {
    jsonrpc: Schema.Literal("2.0"),
    id: Schema.optionalKey(Schema.Union([Schema.Finite, Schema.String])),
    method: Schema.optionalKey(Schema.String),
    params: Schema.optionalKey(Schema.Json),
    result: Schema.optionalKey(Schema.Json),
    error: Schema.optionalKey(Schema.Json)
  },
  {
    description: "A message of the Agent Client Protocol, for every agent."
  }
)

export const Money = wireOf(Cost, "Cost", { description: "As the agent tells it, in a currency of ISO 4217." })
const Costs = Schema.Array(Money).annotate({ description: "By currency; empty where no agent tells." })

const ContextWindow = Schema.Struct({ used: Schema.Int, size: Schema.Int })

const Recovered = wire(
  "RecoveredOutcome",
  {
    at: Instant,
    stopReason: StopReason,
    finalText: Schema.String,
    messages: Schema.Array(Message).annotate({
      description: "Of the whole turn. Of a very long one, the prompt and the end. `GET …/messages` has these."
    })
  } satisfies Readonly<Record<keyof RecoveredOutcome, Schema.Constraint>>,
  { description: "As the agent's own record of the conversation has it." }
)

/** The keys of `TurnOutcome`, no fewer and no more. */
const resultFields = {
  ok: Schema.Boolean,
  sessionId: Schema.String,
  turnIndex: Schema.Int.annotate({ description: "Counts from 1 in each session." }),
  stopReason: StopReason,
  finalText: Schema.String,
  events: Schema.Array(AcpMessage),
  messages: Schema.Array(Message),
  toolIterations: Schema.Int,
  completed: Schema.Boolean,
  partial: Schema.Boolean,
  interrupted: Schema.Boolean,
  error: Schema.NullOr(Schema.String).annotate({
    description: "`<failure class>: <what happened and what to do>`, then the redacted end of the agent's stderr."
  }),
  errorClass: Schema.NullOr(FailureClass).annotate({
    description: "The class of the failure, to branch on; null where `error` is."
  }),
  apiCalls: Schema.Literals([0, 1]).annotate({
    description: "1 for a turn that reached the agent, 0 for one that never did."
  }),
  usage: Usage,
  cost: Schema.NullOr(Money).annotate({ description: "What the turn cost; null where the agent does not tell." }),
  compacted: Schema.Boolean.annotate({
    description: "The agent made room in its context during this turn; of a compaction, whether it happened."
  }),
  context: Schema.NullOr(ContextWindow).annotate({
    description: "The agent's context window after the turn, in tokens; null where the agent does not tell."
  }),
  contextLost: Schema.Boolean.annotate({
    description: "The agent's memory of the turns before this one could not be brought back."
  }),
  contextAsOf: Schema.NullOr(Schema.Int).annotate({
    description:
      "The agent's conversation came along from another node of the cluster, as it was at the end of that turn: what came after it the agent does not know. Null: it was not moved before this turn."
  }),
  workdirLost: Schema.Boolean.annotate({
    description:
      "The session's directory did not come along to the node that has it now: the turn began in an empty one."
  }),
  acceptedWithoutEnd: Schema.Boolean.annotate({
    description: "The agent gave its whole answer and never ended the turn: at the deadline the answer was accepted."
  }),
  structured: Schema.Json.annotate({
    description:
      "The final text as the value that `output_schema` asked for; null where none was asked for, or it is none."
  }),
  schemaMismatch: Schema.NullOr(Schema.String).annotate({
    description: "Why the final text is no value of `output_schema`; null where it is, or none was asked for."
  }),
  recovered: Schema.NullOr(Recovered).annotate({
    description:
      "What the agent had finished of this turn although Troupe or the process died before its end came: known after the agent was started again. The other keys stay what they were. An answer that was kept for an Idempotency-Key before that keeps `null`; read the turn again."
  }),
  threadId: Schema.NullOr(Schema.String),
  agentTurnId: Schema.NullOr(Schema.String),
  durationMs: Schema.Finite
} satisfies Readonly<Record<keyof TurnOutcome, Schema.Constraint>>

/** A turn that failed is a result too: the same keys with status 502 or 504. */
export const TurnResult = wire("TurnResult", resultFields, {
  description: "What came of the turn: completed or interrupted."
})
export const FailedTurn = wire("FailedTurn", resultFields, {
  description: "The agent failed. What had arrived is kept."
}).pipe(HttpApiSchema.status(502))
export const TimedOutTurn = wire("TimedOutTurn", resultFields, {
  description: "A deadline or a watchdog ended the turn."
}).pipe(HttpApiSchema.status(504))

/** A stored turn. One that still waits or runs has no stop reason, end or duration. */
export const StoredTurn = wire("StoredTurn", {
  ...resultFields,
  stopReason: Schema.NullOr(StopReason),
  durationMs: Schema.NullOr(Schema.Finite),
  kind: Schema.Literals(["prompt", "compact"]),
  status: TurnStatus,
  prompt: Schema.String,
  submittedAt: Instant,
  endedAt: Schema.NullOr(Instant)
})

export const UsageReport = wire("UsageReport", {
  ok: Ok,
  turns: Schema.Int,
  usage: Usage,
  costs: Costs,
  days: Schema.Array(
    wire("UsageOfDay", {
      day: Schema.String.annotate({ description: "UTC.", examples: ["2026-11-21"] }),
      app: Schema.String,
      agent: Schema.String,
      turns: Schema.Int,
      usage: Usage,
      costs: Costs
    })
  )
})

const instantQuery = (description: string) =>
  Schema.optionalKey(Schema.NonEmptyString.annotate({ description, examples: ["2026-11-21", "1700000000.123"] }))

export const UsageQuery = {
  from: instantQuery("Unix seconds or an ISO date, inclusive; else 30 days before `to`."),
  to: instantQuery("Unix seconds or an ISO date, exclusive; else now.")
}
