/** A question of an agent as a form of the protocol, and the filled-in form as its answers. */
import type { CreateElicitationResponse, ElicitationPropertySchema, ElicitationSchema } from "@agentclientprotocol/sdk"
import type { AnswerValue, Answers, QuestionField } from "../../domain/Question.ts"

export const formOf = (fields: ReadonlyArray<QuestionField>): ElicitationSchema => ({
  type: "object",
  properties: Object.fromEntries(fields.map((field) => [field.id, propertyOf(field)])),
  required: fields.filter(({ required }) => required).map(({ id }) => id)
})

const propertyOf = (field: QuestionField): ElicitationPropertySchema => {
  const { label: title, options = [], other = false, type } = field
  const described = field.description === undefined ? {} : { description: field.description }
  const shown = { title, ...described }
  const choices = options.map(({ label, value }) => ({ const: value, title: label }))
  switch (type) {
    case "number":
      return { type: "number", ...shown }
    case "boolean":
      return { type: "boolean", ...shown }
    case "text":
      return { type: "string", ...shown }
    case "choice":
      // A form that knows its values alone takes no other.
      return other || choices.length === 0
        ? { type: "string", ...shown, description: listed(field) }
        : { type: "string", ...shown, oneOf: choices }
    case "choices":
      return { type: "array", ...shown, items: { anyOf: choices } }
  }
}

/** A text of one's own is an answer, too, so the options are named in words. */
const listed = ({ description, options = [] }: QuestionField): string => {
  const named = options.map(({ label, value }) => (label === value ? value : `${value} (${label})`)).join(", ")
  return [description, named === "" ? undefined : `One of ${named}, or a text of your own.`]
    .filter((part) => part !== undefined)
    .join(" ")
}

/** `null`: the person declined. What does not fit the fields is for the service to refuse. */
export const answersOf = (response: CreateElicitationResponse): Answers | null => {
  if (response.action !== "accept") return null
  const { content } = response as { readonly content?: Readonly<Record<string, AnswerValue>> | null }
  return content ?? {}
}
