/**
 * Troupe's own messages in a session's stream, each with its `params` as they are on the wire: snake_case, times in Unix
 * seconds.
 */
import { Schema } from "effect"
import type { AcpMessage, TroupeMessage } from "../Acp.ts"
import { ApprovalDecision, ApprovalStatus } from "../Approval.ts"
import { Message } from "../Message.ts"
import { SubmittedBlock } from "../PromptContent.ts"
import { QuestionField, StoredAnswers } from "../Question.ts"
import { FailureClass, StopReason } from "../Turn.ts"

const Seconds = Schema.Finite.annotate({ description: "Unix seconds, with milliseconds as decimals." })

const ofPhase = <const Phase extends string>(phase: Phase) => ({
  phase: Schema.Literal(phase),
  turn_index: Schema.Int,
  at: Seconds,
  kind: Schema.Literals(["prompt", "compact"])
})

/** Where a turn stands. Each turn has, in this order: `submitted`, `started` unless it ended in line, and `ended`. */
export const turnPhases = {
  submitted: {
    ...ofPhase("submitted"),
    prompt: Schema.String.annotate({
      description:
        "As it is stored, with the paths of its files in front; empty for a compaction. One of more than 1,048,576 characters is clipped here, and whole in `GET /sessions/{id}/turns/{n}`."
    }),
    content: Schema.optionalKey(Schema.NullOr(Schema.Array(SubmittedBlock))).annotate({
      description:
        "The content blocks of the prompt, in order, with those of its files: first the text that names their paths, last the images among them. Null: the prompt's text is all."
    }),
    queued: Schema.Boolean.annotate({ description: "It waits in line behind another turn." })
  },
  started: ofPhase("started"),
  ended: {
    ...ofPhase("ended"),
    status: Schema.Literals(["completed", "interrupted", "failed", "timed_out"]),
    stop_reason: StopReason,
    error: Schema.NullOr(Schema.String),
    error_class: Schema.NullOr(FailureClass),
    usage: Schema.Struct({
      input_tokens: Schema.Int,
      cached_input_tokens: Schema.Int,
      output_tokens: Schema.Int,
      reasoning_tokens: Schema.Int,
      total_tokens: Schema.Int
    })
  }
}

/** The fields of all others, by name. */
export const troupeFields = {
  state: {
    from: Schema.String,
    to: Schema.String.annotate({
      description: "A state of the session's machine.",
      examples: ["turning.running"]
    }),
    event: Schema.String.annotate({ description: "What took the session there." })
  },
  context_lost: {
    reason: Schema.String,
    before_turn: Schema.Int.annotate({ description: "The agent does not know the turns before this one." })
  },
  context_restored: {
    as_of_turn: Schema.Int.annotate({
      description: "The agent knows the conversation as it was at the end of this turn, and nothing that came after it."
    }),
    before_turn: Schema.Int.annotate({ description: "The turn that runs, or the last one." })
  },
  workdir_lost: {
    directory: Schema.String.annotate({ description: "It is empty now." }),
    before_turn: Schema.Int.annotate({ description: "Files of the turns before this one are not there." })
  },
  approval_asked: {
    approval_id: Schema.String,
    kind: Schema.String,
    title: Schema.String,
    tool_call_id: Schema.NullOr(Schema.String),
    fields: Schema.optionalKey(Schema.NullOr(Schema.Array(QuestionField))).annotate({
      description: "What a question wants to know. Null: the agent asks for permission."
    }),
    created_at: Seconds,
    deadline_at: Seconds
  },
  approval_settled: {
    approval_id: Schema.String,
    status: ApprovalStatus,
    decision: ApprovalDecision,
    answers: Schema.optionalKey(StoredAnswers).annotate({
      description:
        "What was answered to a question, by its fields' ids; null in it stands for an answer that is secret."
    }),
    decided_by: Schema.String,
    reason: Schema.optionalKey(
      Schema.String.annotate({ description: "What ended the turn, where that withdrew the approval." })
    )
  },
  context_given: {
    turn_index: Schema.Int,
    messages: Schema.Int.annotate({ description: "How many of the app's earlier messages the agent was given." }),
    left_out: Schema.Int,
    cut: Schema.Boolean.annotate({ description: "Messages were left out, or shortened." }),
    characters: Schema.Int,
    max_characters: Schema.Int
  },
  turn_recovered: {
    turn_index: Schema.Int,
    at: Seconds,
    stop_reason: StopReason,
    text: Schema.String,
    messages: Schema.Array(Message)
  },
  mcp_failed: {
    server: Schema.String.annotate({ description: "The name of an MCP server of the session." }),
    message: Schema.String.annotate({ description: "Why it did not start. The session goes on without its tools." })
  },
  /** In place of a stored event that can't be read any more. */
  unreadable: { note: Schema.String }
}

type Phases = { readonly [Phase in keyof typeof turnPhases]: Schema.Struct.Type<(typeof turnPhases)[Phase]> }

/** What each message says, by name. */
export type TroupeParams = {
  readonly [Name in keyof typeof troupeFields]: Schema.Struct.Type<(typeof troupeFields)[Name]>
} & { readonly turn: Phases[keyof Phases] }

export const troupeMessage = <Name extends keyof TroupeParams>(
  name: Name,
  params: TroupeParams[Name]
): TroupeMessage => ({ jsonrpc: "2.0", method: `_troupe/${name}`, params })

/** Whether a message says where a turn stands. A turn's own stream has none: its reader submitted it and reads its end. */
export const isTurnMessage = (message: AcpMessage): boolean => "method" in message && message.method === "_troupe/turn"
