/** The texts of a question in a chat: what is asked, each of its fields with its options, and the prompt for an answer. */
import type { QuestionField } from "../../domain/Question.ts"
import { oneLine, paint } from "../terminal.ts"
import { quiet } from "./words.ts"

export const questionText = (title: string, minutes: number): string =>
  `${paint("yellow", `? question: ${oneLine(title)}`)}\n${quiet(`  /decline answers none of it, /details shows the request; no answer within ${minutes} min declines it`)}\n`

export const fieldText = (
  { description, label, options = [], other, required }: QuestionField,
  nth: number,
  count: number
) => {
  const place = count === 1 ? "" : `${nth + 1}/${count} `
  const about = description === undefined ? "" : quiet(` ${oneLine(description)}`)
  const listed = options.map(
    (option, index) =>
      `    ${index + 1} ${oneLine(option.label)}${option.description === undefined ? "" : quiet(` ${oneLine(option.description)}`)}`
  )
  const more = other === true && options.length > 0 ? [quiet("    or anything else")] : []
  const skip = required ? "" : quiet(" (empty skips it)")
  return `${[`  ${place}${paint("bold", oneLine(label))}${about}${skip}`, ...listed, ...more].join("\n")}\n`
}

const hints: Readonly<Record<QuestionField["type"], string>> = {
  text: "",
  number: "a number ",
  boolean: "y or n ",
  choice: "its number ",
  choices: "numbers, as 1, 2 "
}

export const answerPrompt = ({ options = [], secret, type }: QuestionField): string =>
  `  ${secret === true ? "not shown " : type.startsWith("choice") && options.length === 0 ? "" : hints[type]}› `

/** Of a question without fields. */
export const confirmPrompt = "  Enter answers it › "
