/**
 * Checks what a person decided about an approval: a question needs answers that fit its fields, and a permission takes
 * none. HTTP, the library, the dashboard and the chat get the same sentences.
 */
import type { ApprovalDecision, ApprovalRecord } from "./Approval.ts"
import { cut } from "./cut.ts"
import type { Answers, AnswerValue, QuestionField, StoredAnswers } from "./Question.ts"
import { shownKey, unknownMember } from "./schemaProblem.ts"

/** Of all answers together, as JSON. */
export const maxAnswersCharacters = 64 * 1024
/** Of a field, in a sentence. */
const optionsShown = 16
const valueCharacters = 64

interface AnswerProblem {
  /** Its name on the wire. */
  readonly field: string
  /** Completes a sentence that begins with the field. */
  readonly problem: string
}

/** `answers`: for the agent; `stored`: without the secret ones. Both are absent where nothing is answered. */
export interface CheckedAnswer {
  readonly answers?: Answers
  readonly stored?: StoredAnswers
}

export const checkAnswer = (
  { fields }: Pick<ApprovalRecord, "fields">,
  decision: ApprovalDecision,
  answers: unknown
): CheckedAnswer | AnswerProblem => {
  if (fields === null) {
    const problem = "can't go with this approval: it asks for permission and has no fields. Send the decision alone."
    return answers === undefined ? {} : { field: "answers", problem }
  }
  if (decision === "session") {
    return { field: "decision", problem: 'must be "once", with answers, or "deny": this approval is a question.' }
  }
  if (decision === "deny") {
    const problem = 'can only go with "decision": "once": a question that is declined takes none.'
    return answers === undefined ? {} : { field: "answers", problem }
  }
  return answersTo(fields, answers ?? {})
}

export const isProblem = (checked: CheckedAnswer | AnswerProblem): checked is AnswerProblem => "problem" in checked

const answersTo = (fields: ReadonlyArray<QuestionField>, given: unknown): CheckedAnswer | AnswerProblem => {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return { field: "answers", problem: "must be an object with an answer for each field, by the field's id." }
  }
  const ids = fields.map(({ id }) => id)
  for (const key of Object.keys(given)) {
    if (ids.includes(key)) continue
    const { field, problem } = unknownMember(key, ids, "field")
    return { field: `answers.${field}`, problem }
  }
  const byId: ReadonlyMap<string, unknown> = new Map(Object.entries(given))
  const answers: Array<readonly [string, AnswerValue]> = []
  for (const field of fields) {
    const value = byId.get(field.id)
    const name = `answers.${shownKey(field.id)}`
    if (value === undefined) {
      if (field.required) return { field: name, problem: `is missing: it takes ${answerOf(field)}.` }
      continue
    }
    if (!fits(field, value)) return { field: name, problem: `must be ${answerOf(field)}.` }
    const isEmpty = value === "" || (Array.isArray(value) && value.length === 0)
    if (isEmpty && field.required) return { field: name, problem: `may not be empty: it takes ${answerOf(field)}.` }
    answers.push([field.id, value])
  }
  const result = Object.fromEntries(answers)
  if (JSON.stringify(result).length > maxAnswersCharacters) {
    return { field: "answers", problem: `may have at most ${maxAnswersCharacters} characters.` }
  }
  const secrets = new Set(fields.flatMap(({ id, secret }) => (secret === true ? [id] : [])))
  const stored = Object.fromEntries(answers.map(([id, value]) => [id, secrets.has(id) ? null : value]))
  return { answers: result, stored }
}

const fits = ({ options = [], other = false, type }: QuestionField, value: unknown): value is AnswerValue => {
  const isOption = (text: unknown) =>
    typeof text === "string" && (other || options.some((option) => option.value === text))
  switch (type) {
    case "text":
      return typeof value === "string"
    case "number":
      return typeof value === "number" && Number.isFinite(value)
    case "boolean":
      return typeof value === "boolean"
    case "choice":
      return isOption(value)
    case "choices":
      return Array.isArray(value) && value.every(isOption) && new Set(value).size === value.length
  }
}

/** What the field takes, in words. */
export const answerOf = ({ options = [], other = false, type }: QuestionField): string => {
  const shown = options.slice(0, optionsShown).map(({ value }) => JSON.stringify(cut(value, valueCharacters)))
  const more = options.length > optionsShown ? ` and ${options.length - optionsShown} more` : ""
  const listed = shown.length === 0 ? "" : `${shown.join(", ")}${more}`
  switch (type) {
    case "text":
      return "a text"
    case "number":
      return "a number"
    case "boolean":
      return "true or false"
    case "choice":
      return listed === "" ? "a text" : `one of ${listed}${other ? ", or another text" : ""}`
    case "choices":
      return listed === "" ? "a list of texts" : `a list of ${listed}${other ? ", or other texts" : ""}, each once`
  }
}
