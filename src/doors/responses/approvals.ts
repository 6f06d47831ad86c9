/** What a response waits for as OpenAI's `mcp_approval_request`, and its answers: the response goes on, it is no new one. */
import type { SessionBackend } from "../../backend/Backend.ts"
import { TroupeError } from "../../backend/TroupeError.ts"
import type { TroupeParams } from "../../domain/events/troupeMessage.ts"
import { nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import { invalid, Refused, unsupported } from "./errors.ts"
import type { Place } from "./ids.ts"

export interface ApprovalAnswer {
  readonly approval: string
  readonly approve: boolean
}

const answerType = "mcp_approval_response"
/** As many as can wait at once. */
const mostAnswers = 32

/** `null`: the input is no answer to approvals. */
export const readAnswers = (input: unknown): ReadonlyArray<ApprovalAnswer> | null => {
  if (!Array.isArray(input) || !input.some((item) => objectIn(item)["type"] === answerType)) return null
  if (input.length > mostAnswers) throw invalid("input", `may have ${mostAnswers} items of type ${answerType}.`)
  return input.map((item, nth) => {
    const { approval_request_id, approve, type } = objectIn(item)
    if (type !== answerType) {
      throw unsupported(
        `input[${nth}]`,
        `can't go with ${answerType}: the response goes on first. Send it with previous_response_id when that has ended.`
      )
    }
    const approval = nonEmptyTextIn(approval_request_id)
    if (approval === null) throw invalid(`input[${nth}].approval_request_id`, "is missing.")
    if (typeof approve !== "boolean") throw invalid(`input[${nth}].approve`, "must be true or false.")
    return { approval, approve }
  })
}

/** An item of a response's output. What is no call of an MCP server has the name of its kind. */
export const approvalItem = ({ approval_id, fields = null, kind, title }: TroupeParams["approval_asked"]) => ({
  id: approval_id,
  type: "mcp_approval_request" as const,
  server_label: "troupe",
  name: kind,
  arguments: JSON.stringify(fields === null ? { title } : { title, fields })
})

/** One that was settled before, in the same way, is no fault: the request may have come before. */
export const answerAll = async (
  session: SessionBackend,
  place: Place,
  answers: ReadonlyArray<ApprovalAnswer>
): Promise<void> => {
  const pending = new Map((await session.approvals()).map((approval) => [approval.id, approval]))
  for (const [nth, { approval, approve }] of answers.entries()) {
    const open = pending.get(approval)
    if (open === undefined || open.turn !== place.turn) await checkSettled(session, place, { approval, approve }, nth)
    else if (open.fields !== null && approve) {
      throw unsupported(
        `input[${nth}].approve`,
        `must be false: the agent asks a question. Answer it by POST /sessions/${place.session}/approvals/${approval}.`
      )
    }
  }
  for (const [nth, { approval, approve }] of answers.entries()) {
    if (pending.get(approval)?.turn !== place.turn) continue
    await session.answer(approval, approve ? "once" : "deny").catch(async (error: unknown) => {
      if (!(error instanceof TroupeError) || error.code !== "approval_settled") throw error
      // Another request was quicker, perhaps with the same answer.
      await checkSettled(session, place, { approval, approve }, nth)
    })
  }
}

const settled = (message: string) => new Refused(409, "approval_settled", message, "input")

const checkSettled = async (
  session: SessionBackend,
  { turn }: Place,
  { approval, approve }: ApprovalAnswer,
  nth: number
): Promise<void> => {
  for await (const { message } of session.turnEvents(turn, undefined, false)) {
    if (message.method !== "_troupe/approval_settled") continue
    const { approval_id, decided_by, decision, status } = message.params as TroupeParams["approval_settled"]
    if (approval_id !== approval) continue
    if (approve === (decision !== "deny")) return
    const how = status === "answered" ? `answered with ${decision} by ${decided_by}` : status
    throw settled(`The request ${approval} was ${how} before. Retrieve the response to see how it goes on.`)
  }
  throw invalid(`input[${nth}].approval_request_id`, "is no request of the response in previous_response_id.")
}

/** Resolves when the agent waits for a person; where the turn ends first, with its end. */
export const untilAsked = async (
  session: SessionBackend,
  turn: number,
  ended: () => Promise<unknown>
): Promise<unknown> => {
  for await (const { message } of session.turnEvents(turn)) {
    if (message.method !== "_troupe/approval_asked") continue
    const { approval_id } = message.params as TroupeParams["approval_asked"]
    if ((await session.approvals()).some(({ id }) => id === approval_id)) return undefined
  }
  return ended()
}
