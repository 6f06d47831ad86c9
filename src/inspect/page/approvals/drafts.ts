/** What a person has typed and chosen so far for the fields of a question, and the answers that these are. */
import type { Answer, Approval } from "../../contract.ts"

export type Field = NonNullable<Approval["fields"]>[number]

export interface Draft {
  readonly text: string
  /** Values of options, in the order of the options. */
  readonly chosen: ReadonlyArray<string>
  /** The person wants a value that is no option. */
  readonly isOther: boolean
  readonly other: string
  /** `null`: the box was not touched. */
  readonly isChecked: boolean | null
}

export const emptyDraft: Draft = { text: "", chosen: [], isOther: false, other: "", isChecked: null }

export type Drafts = Readonly<Record<string, Draft>>

export const draftOf = (drafts: Drafts, { id }: Field): Draft => (Object.hasOwn(drafts, id) && drafts[id]) || emptyDraft

export const withChosen = ({ options = [] }: Field, draft: Draft, value: string, isChosen: boolean): Draft => ({
  ...draft,
  chosen: options.flatMap((option) =>
    (option.value === value ? isChosen : draft.chosen.includes(option.value)) ? [option.value] : []
  )
})

/** What was left empty has no answer; whether the rest fits is for the server to say, so that it says it in one place. */
export const answersOf = (fields: ReadonlyArray<Field>, drafts: Drafts): NonNullable<Answer["answers"]> =>
  Object.fromEntries(
    fields.flatMap((field) => {
      const value = valueOf(field, draftOf(drafts, field))
      return value === undefined ? [] : [[field.id, value]]
    })
  )

const valueOf = (
  { required, type }: Field,
  { chosen, isChecked, isOther, other, text }: Draft
): string | number | boolean | ReadonlyArray<string> | undefined => {
  switch (type) {
    case "text":
      return text === "" ? undefined : text
    case "number":
      return numberOf(text)
    case "boolean":
      return isChecked ?? (required ? false : undefined)
    case "choice": {
      const value = isOther ? other : chosen[0]
      return value === "" ? undefined : value
    }
    case "choices": {
      const values = isOther && other !== "" && !chosen.includes(other) ? [...chosen, other] : chosen
      return values.length === 0 ? undefined : values
    }
  }
}

/** A text that is no number is sent as it is: the server names the field. */
const numberOf = (text: string): number | string | undefined => {
  if (text.trim() === "") return undefined
  const number = Number(text.trim())
  return Number.isFinite(number) ? number : text
}

/** The field that a refusal of the server names, and the refusal with the field's label instead of its path. */
export const refusedField = (
  fields: ReadonlyArray<Field>,
  detail: string
): { readonly id: string | null; readonly text: string } => {
  const field = fields.find(({ id }) => detail.startsWith(`answers.${id} `))
  if (field === undefined) return { id: null, text: detail }
  return { id: field.id, text: `“${field.label}”${detail.slice(`answers.${field.id}`.length)}` }
}
