/**
 * The forms by which an ACP agent asks a person (`elicitation/create`), as the fields of a question, and their answers.
 *
 * The schema has flat properties of primitive types. Claude's own questions have a field of free text beside each choice,
 * `<id>_custom`: that is one field here, a choice that also takes another value.
 */
import { at, listIn, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { Answers, AnswerValue, QuestionField } from "../../domain/Question.ts"

/** `null`: it has a required field that is none of ours, or nothing to fill in. */
export const fieldsOf = (requestedSchema: unknown): ReadonlyArray<QuestionField> | null => {
  const properties = objectIn(at(requestedSchema, "properties"))
  const required = new Set(listIn(at(requestedSchema, "required")))
  const fields: Array<QuestionField> = []
  for (const [id, schema] of Object.entries(properties)) {
    if (isCustomOf(properties, id)) continue
    const field = fieldOf(id, objectIn(schema), required.has(id))
    if (field === null && required.has(id)) return null
    if (field !== null) {
      fields.push(isChoice(field) && Object.hasOwn(properties, custom(id)) ? { ...field, other: true } : field)
    }
  }
  return fields.length === 0 ? null : fields
}

const custom = (id: string) => `${id}_custom`

const isChoice = ({ type }: QuestionField): boolean => type === "choice" || type === "choices"

/** The free text beside a choice of the same form. */
const isCustomOf = (properties: JsonObject, id: string): boolean => {
  const choice = id.endsWith("_custom") ? id.slice(0, -"_custom".length) : ""
  const field = Object.hasOwn(properties, choice) ? fieldOf(choice, objectIn(properties[choice]), false) : null
  return field !== null && isChoice(field) && at(properties, id, "type") === "string"
}

const fieldOf = (id: string, schema: JsonObject, required: boolean): QuestionField | null => {
  const description = nonEmptyTextIn(schema["description"])
  const base = {
    id,
    label: nonEmptyTextIn(schema["title"]) ?? id,
    ...(description === null ? {} : { description }),
    required
  }
  switch (schema["type"]) {
    case "string": {
      const options = optionsIn(schema)
      return options.length === 0 ? { ...base, type: "text" } : { ...base, type: "choice", options }
    }
    case "number":
    case "integer":
      return { ...base, type: "number" }
    case "boolean":
      return { ...base, type: "boolean" }
    case "array": {
      const options = optionsIn(objectIn(schema["items"]))
      return options.length === 0 ? null : { ...base, type: "choices", options }
    }
    default:
      return null
  }
}

const optionsIn = ({ anyOf, enum: values, oneOf }: JsonObject) => {
  const titled = [...listIn(oneOf), ...listIn(anyOf)].flatMap((option) => {
    const { const: value, description, title } = objectIn(option)
    if (typeof value !== "string") return []
    const about = nonEmptyTextIn(description)
    return [{ value, label: nonEmptyTextIn(title) ?? value, ...(about === null ? {} : { description: about }) }]
  })
  if (titled.length > 0) return titled
  return listIn(values).flatMap((value) => (typeof value === "string" ? [{ value, label: value }] : []))
}

/** ACP's `content` of an accepted form. An answer that is none of a choice's options is its free text. */
export const contentOf = (fields: ReadonlyArray<QuestionField>, answers: Answers): Record<string, AnswerValue> => {
  const content: Record<string, AnswerValue> = {}
  for (const { id, options = [], other, type } of fields) {
    const answer = Object.hasOwn(answers, id) ? answers[id] : undefined
    if (answer === undefined) continue
    const values = new Set(options.map(({ value }) => value))
    if (other !== true) content[id] = answer
    else if (type === "choice" && typeof answer === "string") content[values.has(answer) ? id : custom(id)] = answer
    else {
      const all = (Array.isArray(answer) ? answer : [answer]).map(String)
      const free = all.filter((value) => !values.has(value))
      content[id] = all.filter((value) => values.has(value))
      if (free.length > 0) content[custom(id)] = free.join(", ")
    }
  }
  return content
}
