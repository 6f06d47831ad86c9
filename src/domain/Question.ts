/**
 * A question of an agent to a person: not whether it may do something, but what the person wants.
 *
 * codex asks with `item/tool/requestUserInput`, ACP agents with `elicitation/create`. Both are a form of fields.
 */
import { Schema } from "effect"

export const QuestionOption = Schema.Struct({
  value: Schema.String,
  label: Schema.String,
  description: Schema.optionalKey(Schema.String)
})
export type QuestionOption = typeof QuestionOption.Type

export const QuestionField = Schema.Struct({
  /** The key of its answer, unique within the question. */
  id: Schema.String,
  label: Schema.String,
  description: Schema.optionalKey(Schema.String),
  /** `choice` takes the value of one option, `choices` a list of them. */
  type: Schema.Literals(["text", "number", "boolean", "choice", "choices"]),
  options: Schema.optionalKey(Schema.Array(QuestionOption)),
  /** A `choice` or `choices` that also takes a value that is none of its options. */
  other: Schema.optionalKey(Schema.Boolean),
  required: Schema.Boolean,
  /** Its answer is not stored and not shown. */
  secret: Schema.optionalKey(Schema.Boolean)
})
export type QuestionField = typeof QuestionField.Type

export const AnswerValue = Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Array(Schema.String)])
export type AnswerValue = typeof AnswerValue.Type

/** By the ids of the fields. */
export const Answers = Schema.Record(Schema.String, AnswerValue)
export type Answers = typeof Answers.Type

/** Answers as they are stored and shown: `null` for what was answered to a `secret` field. */
export const StoredAnswers = Schema.Record(Schema.String, Schema.NullOr(AnswerValue))
export type StoredAnswers = typeof StoredAnswers.Type

/** The `kind` of an approval that is a question; a permission has ACP's kind of its tool. */
export const questionKind = "question"
