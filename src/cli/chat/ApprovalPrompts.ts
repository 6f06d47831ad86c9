/** The pending approvals of a chat: shown to the person one at a time, in the order of their requests. */
import { Clock, Effect } from "effect"
import type { ApprovalDecision } from "../../domain/Approval.ts"
import type { CommandFailed } from "../failures.ts"
import type { Narrator } from "../narration.ts"
import { oneLine } from "../terminal.ts"
import type { Console } from "./Console.ts"
import type { Conversation, PendingApproval } from "./Conversation.ts"
import * as Words from "./words.ts"

export interface ApprovalPrompts {
  /** Whether an approval is pending. */
  readonly open: () => boolean
  readonly add: (approval: PendingApproval) => void
  /** Shows the first one, with the keys that answer it. */
  readonly show: Effect.Effect<void>
  /** The effect that sends the answer; `null` where the key is no answer. */
  readonly answer: (key: string) => Effect.Effect<void, CommandFailed> | null
  /** Removes an approval that was settled; the text that says so, unless the person answered it here. */
  readonly settled: (how: Readonly<Record<string, unknown>>) => string | null
}

export const make = (conversation: Conversation, console: Console, narrator: Narrator): ApprovalPrompts => {
  let pending: ReadonlyArray<PendingApproval> = []
  let current: PendingApproval | undefined

  const decide = (approval: PendingApproval, decision: ApprovalDecision) => {
    console.answered(Words.answers[decision])
    pending = pending.slice(1)
    if (decision === "deny" && approval.toolCallId !== null) narrator.declined(approval.toolCallId)
    return conversation.answer(approval.id, decision)
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
        console.write(narrator.end() + Words.approvalText(approval, now))
      }
      current = approval
      console.expect({ _tag: "Key", prompt: Words.keyPrompt })
    }),
    answer: (typed) => {
      const [approval] = pending
      const key = typed.trim().toLowerCase()
      if (approval === undefined) return null
      const decision = Words.keys[key]
      if (decision !== undefined) return decide(approval, decision)
      if (key === "d") {
        console.answered("details")
        const { toolCallId } = approval
        console.write(Words.detailsText(approval, toolCallId === null ? undefined : narrator.tool(toolCallId)))
        // A stray key is ignored; a whole line gets a reply.
      } else if (!console.interactive) console.answered(`${oneLine(typed)} (that is no answer)`)
      return null
    },
    settled: (how) => {
      const settled = pending.find(({ id }) => id === how["approval_id"])
      // It was answered here, and the answer is on the screen already.
      if (settled === undefined) return null
      if (settled === pending[0]) console.answered("")
      pending = pending.filter((approval) => approval !== settled)
      if (how["status"] === "expired") return "Nobody answered in time: that is a no."
      if (how["status"] === "withdrawn") return "It is not asked any more."
      return `${oneLine(String(how["decided_by"]))} answered: ${oneLine(String(how["decision"]))}.`
    }
  }
}
