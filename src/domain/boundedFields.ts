/**
 * Bounds the fields of an agent's question, before they are stored and shown.
 *
 * What a person only reads is cut. An id or a value is never changed, because it goes back to the agent: a question in
 * which one is too long, or could not be sent in an answer, can't be asked.
 */
import { cut } from "./cut.ts"
import type { QuestionField } from "./Question.ts"
import { textProblem } from "./storable.ts"

export const maxFields = 32
const maxOptions = 100
const maxIdCharacters = 200
const maxValueCharacters = 1_000
const maxLabelCharacters = 500
const maxDescriptionCharacters = 2_000
/** Of all fields together, as JSON. */
const maxCharacters = 64 * 1024

/** The fields, or why they can't be asked, as a clause. */
export const boundedFields = (
  fields: ReadonlyArray<QuestionField>
): { readonly fields: ReadonlyArray<QuestionField> } | { readonly problem: string } => {
  if (fields.length > maxFields)
    return { problem: `it has ${fields.length} fields, and at most ${maxFields} are asked` }
  const ids = fields.map(({ id }) => id)
  if (new Set(ids).size < ids.length) return { problem: "two of its fields have the same id" }
  if (!ids.every((id) => canComeBack(id, maxIdCharacters))) return { problem: "the id of a field can't be sent back" }
  for (const { id, options = [] } of fields) {
    if (options.length > maxOptions) return { problem: `its field ${id} has more than ${maxOptions} options` }
    const values = options.every(({ value }) => canComeBack(value, maxValueCharacters))
    if (!values) return { problem: `the value of an option of its field ${id} can't be sent back` }
  }
  const bounded = fields.map(boundedField)
  const isLong = JSON.stringify(bounded).length > maxCharacters
  return isLong ? { problem: `its fields have more than ${maxCharacters} characters` } : { fields: bounded }
}

const boundedField = ({ description, label, options, ...rest }: QuestionField): QuestionField => ({
  ...rest,
  ...described(label, description),
  ...(options === undefined
    ? {}
    : { options: options.map(({ description, label, value }) => ({ value, ...described(label, description) })) })
})

const described = (label: string, description: string | undefined) => ({
  label: cut(label, maxLabelCharacters),
  ...(description === undefined ? {} : { description: cut(description, maxDescriptionCharacters) })
})

const canComeBack = (text: string, limit: number) => text.length <= limit && textProblem(text) === null
