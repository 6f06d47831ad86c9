/** What a line of a person answers to one field of a question: a text, a number, yes or no, or options by their numbers. */
import { answerOf } from "../../domain/checkAnswer.ts"
import type { AnswerValue, QuestionField, QuestionOption } from "../../domain/Question.ts"

export type FieldAnswer =
  | { readonly _tag: "Answer"; readonly value: AnswerValue }
  | { readonly _tag: "Skipped" }
  | { readonly _tag: "Unfit"; readonly problem: string }

export const fieldAnswer = (field: QuestionField, typed: string): FieldAnswer => {
  // A blank in front of a slash says that the line is no command.
  const text = typed.startsWith(" /") ? typed.slice(1) : typed
  const line = text.trim()
  if (line === "") return field.required ? unfit(`It takes ${answerOf(field)}.`) : { _tag: "Skipped" }
  const { options = [], other = false } = field
  switch (field.type) {
    case "text":
      return answer(text)
    case "number":
      return Number.isFinite(Number(line)) ? answer(Number(line)) : unfit("It takes a number.")
    case "boolean": {
      const word = line.toLowerCase()
      if (["y", "yes", "true"].includes(word)) return answer(true)
      return ["n", "no", "false"].includes(word) ? answer(false) : unfit("It takes y or n.")
    }
    case "choice": {
      const value = optionValue(options, line) ?? (other ? line : null)
      return value === null ? unfit(notAnOption(options)) : answer(value)
    }
    case "choices": {
      const words = line.split(/^[\d\s]+$/.test(line) ? /\s+/ : ",").map((word) => word.trim())
      const values = words
        .filter((word) => word !== "")
        .map((word) => optionValue(options, word) ?? (other ? word : null))
      return values.some((value) => value === null)
        ? unfit(`${notAnOption(options)} Several are separated by commas.`)
        : answer([...new Set(values as ReadonlyArray<string>)])
    }
  }
}

const answer = (value: AnswerValue): FieldAnswer => ({ _tag: "Answer", value })
const unfit = (problem: string): FieldAnswer => ({ _tag: "Unfit", problem })

const notAnOption = ({ length }: ReadonlyArray<QuestionOption>) => `It takes a number from 1 to ${length}.`

/** Of an option that is named by its number, its label or its value. */
const optionValue = (options: ReadonlyArray<QuestionOption>, word: string): string | null => {
  const byNumber = /^\d+$/.test(word) ? options[Number(word) - 1] : undefined
  const same = (text: string) => text.toLowerCase() === word.toLowerCase()
  return (byNumber ?? options.find(({ label, value }) => same(label) || same(value)))?.value ?? null
}
