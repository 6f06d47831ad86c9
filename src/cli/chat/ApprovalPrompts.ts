/** What the agent of a chat asks leave for: shown one at a time, in the order in which it was asked. */
import { Clock, Effect } from "effect"
import type { ApprovalDecision } from "../../domain/Approval.ts"
import type { CommandFailed } from "../failures.ts"
import type { Narrator } from "../narration.ts"
import { oneLine } from "../terminal.ts"
import type { Console } from "./Console.ts"
import type { Conversation, Question } from "./Conversation.ts"
import * as Words from "./words.ts"

export interface Questions {
  /** One waits for an answer. */
  readonly open: () => boolean
  readonly asked: (question: Question) => void
  /** Puts the first one before the person, with the keys that answer it. */
  readonly show: Effect.Effect<void>
  /** What the answer is to be sent by; `null` where the key is none. */
  readonly answer: (key: string) => Effect.Effect<void, CommandFailed> | null
  /** It was answered, or is asked no more: the words for that, where the person does not know it. */
  readonly settled: (how: Readonly<Record<string, unknown>>) => string | null
}

export const make = (conversation: Conversation, console: Console, narrator: Narrator): Questions => {
  let waiting: ReadonlyArray<Question> = []
  let shown: Question | undefined

  const decide = (question: Question, decision: ApprovalDecision) => {
    console.answered(Words.answers[decision])
    waiting = waiting.slice(1)
    if (decision === "deny" && question.toolCallId !== null) narrator.declined(question.toolCallId)
    return conversation.answer(question.id, decision)
  }

  return {
    open: () => waiting.length > 0,
    asked: (question) => {
      waiting = [...waiting, question]
    },
    show: Effect.gen(function* () {
      const [question] = waiting
      if (question === undefined) return
      if (question !== shown) {
        const now = yield* Clock.currentTimeMillis
        console.write(narrator.end() + Words.questionText(question, now))
      }
      shown = question
      console.listen({ _tag: "Key", prompt: Words.keyPrompt })
    }),
    answer: (given) => {
      const [question] = waiting
      const key = given.trim().toLowerCase()
      if (question === undefined) return null
      const decision = Words.keys[key]
      if (decision !== undefined) return decide(question, decision)
      if (key === "d") {
        console.answered("details")
        const { toolCallId } = question
        console.write(Words.detailsText(question, toolCallId === null ? undefined : narrator.tool(toolCallId)))
        // A stray key is nothing; a whole line was meant.
      } else if (!console.interactive) console.answered(`${oneLine(given)} (that is no answer)`)
      return null
    },
    settled: (how) => {
      const open = waiting.find(({ id }) => id === how["approval_id"])
      // Our own answer stands there already.
      if (open === undefined) return null
      if (open === waiting[0]) console.answered("")
      waiting = waiting.filter((question) => question !== open)
      if (how["status"] === "expired") return "Nobody answered in time: that is a no."
      if (how["status"] === "withdrawn") return "It is not asked any more."
      return `${oneLine(String(how["decided_by"]))} answered: ${oneLine(String(how["decision"]))}.`
    }
  }
}
