/**
 * What an agent asks a person, as a function that the client runs: its call is a required action and an item, and its result is
 * the answer. The SDK's `toolHandlers` answer both by name.
 */
import type { ApprovalDecision, ApprovalRecord } from "../../domain/Approval.ts"
import type { TroupeParams } from "../../domain/events/troupeMessage.ts"
import { objectIn } from "../../domain/json.ts"
import type { Answers, QuestionField } from "../../domain/Question.ts"
import type { Answered } from "../asSettled.ts"
import { invalid } from "../responses/errors.ts"
import type { RequiredAction } from "./sdk.ts"
import { turnId } from "./ids.ts"

export const permissionCall = "request_permission"
export const questionCall = "ask_user"

/** Of an approval, whether it was read or came in an event. */
export interface Asked {
  readonly id: string
  readonly turn: number
  readonly kind: string
  readonly title: string
  readonly fields: ReadonlyArray<QuestionField> | null
  /** Milliseconds since 1970. */
  readonly deadlineAt: number
}

export const askedIn = (
  { approval_id: id, deadline_at, fields = null, kind, title }: TroupeParams["approval_asked"],
  turn: number
): Asked => ({ id, turn, kind, title, fields, deadlineAt: deadline_at * 1000 })

export const askedOf = ({ deadlineAt, fields, id, kind, title, turn }: ApprovalRecord): Asked => ({
  id,
  turn,
  kind,
  title,
  fields,
  deadlineAt
})

const decisions: ReadonlyArray<ApprovalDecision> = ["once", "session", "deny"]

/** The name and the arguments of its call. */
export const callOf = ({ deadlineAt, fields, kind, title }: Omit<Asked, "id" | "turn">) => {
  const expires_at = Math.floor(deadlineAt / 1000)
  return fields === null
    ? { name: permissionCall, arguments: { kind, title, decisions, expires_at } }
    : { name: questionCall, arguments: { title, fields, expires_at } }
}

export const actionOf = (session: string, asked: Asked): RequiredAction => ({
  type: "function_call",
  call_id: asked.id,
  turn_id: turnId({ session, turn: asked.turn }),
  ...callOf(asked)
})

/** The result of a call as the approval's answer. A call that failed is a no. */
export const answerIn = (
  { fields }: Pick<ApprovalRecord, "fields">,
  { isSuccess, output }: { readonly isSuccess: boolean; readonly output: string }
): Answered => {
  if (!isSuccess) return { decision: "deny" }
  const value = parsed(output)
  const { answers, decision } = objectIn(value)
  if (fields !== null) {
    const given = answers ?? value
    if (decision === "deny" || given === "deny") return { decision: "deny" }
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      throw invalid("output", `must be JSON: an object with an answer for each of the fields by its id, or "deny".`)
    }
    return { decision: "once", answers: given as Answers }
  }
  const word = decision ?? value
  if (isDecision(word)) return { decision: word }
  throw invalid("output", `must be ${decisions.join(", ")}, or JSON such as {"decision":"once"}.`)
}

const isDecision = (word: unknown): word is ApprovalDecision => (decisions as ReadonlyArray<unknown>).includes(word)

/** Words that are no JSON stand for themselves. */
const parsed = (output: string): unknown => {
  try {
    return JSON.parse(output)
  } catch {
    return output.trim()
  }
}

/** What was decided, as the call's output. */
export const outputOf = ({
  answers,
  decision
}: Pick<TroupeParams["approval_settled"], "answers" | "decision">): string =>
  answers === undefined ? decision : JSON.stringify({ decision, answers })
