/** One question of an agent in a chat: its fields are asked one after the other, and answered together. */
import type { Answers, AnswerValue, QuestionField } from "../../domain/Question.ts"
import { oneLine } from "../terminal.ts"
import { fieldAnswer } from "./fieldAnswer.ts"
import { answerPrompt, confirmPrompt, fieldText } from "./questionWords.ts"

/** What became of a line: `echo` is what the console may show of it. */
export type QuestionStep =
  | { readonly _tag: "Next"; readonly echo: string }
  | { readonly _tag: "Unfit"; readonly echo: string; readonly problem: string }
  | { readonly _tag: "Done"; readonly echo: string; readonly answers: Answers }

export interface QuestionPrompt {
  /** What to print before the next answer; empty where that was printed. */
  readonly text: () => string
  readonly prompt: () => string
  readonly isSecret: () => boolean
  readonly take: (line: string) => QuestionStep
}

export const make = (fields: ReadonlyArray<QuestionField>): QuestionPrompt => {
  const answers: Array<readonly [string, AnswerValue]> = []
  let nth = 0
  let printed = -1
  const field = () => fields[nth]

  return {
    text: () => {
      const current = field()
      if (current === undefined || printed === nth) return ""
      printed = nth
      return fieldText(current, nth, fields.length)
    },
    prompt: () => {
      const current = field()
      return current === undefined ? confirmPrompt : answerPrompt(current)
    },
    isSecret: () => field()?.secret === true,
    take: (line) => {
      const current = field()
      if (current === undefined) return { _tag: "Done", echo: "", answers: {} }
      const echo = current.secret === true && line.trim() !== "" ? "•••" : oneLine(line)
      const given = fieldAnswer(current, line)
      if (given._tag === "Unfit") return { _tag: "Unfit", echo, problem: given.problem }
      if (given._tag === "Answer") answers.push([current.id, given.value])
      nth += 1
      return nth < fields.length ? { _tag: "Next", echo } : { _tag: "Done", echo, answers: Object.fromEntries(answers) }
    }
  }
}
