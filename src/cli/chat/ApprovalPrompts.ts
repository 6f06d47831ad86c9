/**
 * The pending approvals of a chat: shown to the person one at a time, in the order of their requests. One for permission
 * takes a key; a question takes a line for each field.
 */
import { Clock, Effect } from "effect"
import type { ApprovalDecision } from "../../domain/Approval.ts"
import type { Answers } from "../../domain/Question.ts"
import type { CommandFailed } from "../failures.ts"
import type { Narrator } from "../narration.ts"
import { oneLine } from "../terminal.ts"
import type { Console } from "./Console.ts"
import type { Conversation, PendingApproval } from "./Conversation.ts"
import * as QuestionPrompt from "./QuestionPrompt.ts"
import { questionText } from "./questionWords.ts"
import * as Words from "./words.ts"

export interface ApprovalPrompts {
  /** Whether an approval is pending. */
  readonly open: () => boolean
  readonly add: (approval: PendingApproval) => void
  /** Shows the first one, with the keys that answer it, or the next field of its question. */
  readonly show: Effect.Effect<void>
  /**
   * The effect that sends the answer; `null` where the key, or the line, is no answer, or not the last of one. `to`: what
   * the prompt was for that it was typed at, so that it answers nothing that came in between.
   */
  readonly answer: (
    typed: string,
    to: "permission" | "question" | "either"
  ) => Effect.Effect<void, CommandFailed> | null
  /** Says no to the first one. */
  readonly decline: () => Effect.Effect<void, CommandFailed> | null
  /** Removes an approval that was settled; the text that says so, unless the person answered it here. */
  readonly settled: (how: Readonly<Record<string, unknown>>) => string | null
}

export const make = (conversation: () => Conversation, console: Console, narrator: Narrator): ApprovalPrompts => {
  let pending: ReadonlyArray<PendingApproval> = []
  let current: PendingApproval | undefined
  /** Of the current approval, where it is a question. */
  let question: QuestionPrompt.QuestionPrompt | undefined

  const send = (approval: PendingApproval, decision: ApprovalDecision, answers?: Answers) => {
    pending = pending.slice(1)
    if (decision === "deny" && approval.toolCallId !== null) narrator.declined(approval.toolCallId)
    return conversation()
      .answer(approval.id, decision, answers)
      .pipe(
        // A refused answer leaves the question open, so it is asked again from its first field.
        Effect.tapError(({ code }) =>
          Effect.sync(() => {
            if (code !== "invalid_request") return
            pending = [approval, ...pending]
            current = undefined
          })
        )
      )
  }

  const decide = (approval: PendingApproval, decision: ApprovalDecision) => {
    console.answered(approval.fields === null ? Words.answers[decision] : "declined")
    return send(approval, decision)
  }

  const details = (approval: PendingApproval) => {
    const { toolCallId } = approval
    console.write(Words.detailsText(approval, toolCallId === null ? undefined : narrator.tool(toolCallId)))
  }

  const decisionOf = (approval: PendingApproval, typed: string) => {
    const key = typed.trim().toLowerCase()
    const decision = Words.keys[key]
    if (decision !== undefined) return decide(approval, decision)
    if (key === "d") {
      console.answered("details")
      details(approval)
      // A stray key is ignored; a whole line gets a reply.
    } else if (!console.interactive) {
      const reply = `${oneLine(typed)} (that is no answer)`
      console.answered(reply)
      console.json?.problem(reply)
    }
    return null
  }

  const answersOf = (approval: PendingApproval, prompt: QuestionPrompt.QuestionPrompt, line: string) => {
    const command = line.trimEnd().toLowerCase()
    if (command === "/decline") return decide(approval, "deny")
    if (command === "/details") {
      console.answered(command)
      details(approval)
      return null
    }
    const step = prompt.take(line)
    console.answered(step.echo)
    if (step._tag === "Unfit") {
      console.write(Words.quiet(`  ${step.problem}\n`))
      console.json?.problem(step.problem)
    }
    return step._tag === "Done" ? send(approval, "once", step.answers) : null
  }

  return {
    open: () => pending.length > 0,
    add: (approval) => {
      pending = [...pending, approval]
    },
    show: Effect.gen(function* () {
      const [approval] = pending
      if (approval === undefined) return
      if (approval !== current) {
        const now = yield* Clock.currentTimeMillis
        question = approval.fields === null ? undefined : QuestionPrompt.make(approval.fields)
        const text =
          question === undefined
            ? Words.approvalText(approval, now)
            : questionText(approval.title, Words.minutesLeft(approval, now))
        console.write(narrator.end() + text)
      }
      current = approval
      if (question === undefined) return console.expect({ _tag: "Key", prompt: Words.keyPrompt })
      console.write(question.text())
      console.expect({ _tag: "Answer", prompt: question.prompt(), isSecret: question.isSecret() })
    }),
    answer: (typed, to) => {
      const [approval] = pending
      if (approval === undefined || approval !== current) return null
      if (to !== "either" && (to === "question") !== (question !== undefined)) return null
      return question === undefined ? decisionOf(approval, typed) : answersOf(approval, question, typed)
    },
    decline: () => {
      const [approval] = pending
      return approval === undefined ? null : decide(approval, "deny")
    },
    settled: (how) => {
      const settled = pending.find(({ id }) => id === how["approval_id"])
      // It was answered here, and the answer is on the screen already.
      if (settled === undefined) return null
      if (settled === pending[0]) console.answered("")
      pending = pending.filter((approval) => approval !== settled)
      const isQuestion = settled.fields !== null
      if (how["status"] === "expired")
        return `Nobody answered in time: ${isQuestion ? "it is declined" : "that is a no"}.`
      if (how["status"] === "withdrawn") return "It is not asked any more."
      const decision = isQuestion && how["decision"] === "once" ? "" : `: ${oneLine(String(how["decision"]))}`
      return `${oneLine(String(how["decided_by"]))} answered${decision}.`
    }
  }
}
