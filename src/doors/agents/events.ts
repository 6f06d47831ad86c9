/**
 * `sessions.events`: input that is submitted, and the stream of what happens. A message is a turn, which waits in line behind one
 * that runs; its `Idempotency-Key` is the turn's, so that it has one effect whatever crashes.
 */
import type { SessionBackend, SessionInfo } from "../../backend/Backend.ts"
import { TroupeError } from "../../backend/TroupeError.ts"
import type { ApprovalRecord } from "../../domain/Approval.ts"
import type { TroupeParams } from "../../domain/events/troupeMessage.ts"
import { objectIn } from "../../domain/json.ts"
import { isAsSettled } from "../asSettled.ts"
import { invalid, unsupported } from "../responses/errors.ts"
import { fingerprintOf } from "../fingerprint.ts"
import { noSuchCall } from "./errors.ts"
import { turnIn } from "./ids.ts"
import { readMessages } from "./messages.ts"
import type { Prompt } from "./messages.ts"
import { openedOf } from "./opened.ts"
import type { Call } from "./operation.ts"
import { checkQuery } from "./pages.ts"
import { checkParameters, flag, taken, textOrNull } from "./parameters.ts"
import type { Parameters } from "./parameters.ts"
import { answerIn } from "./requiredActions.ts"
import type { AgentSessionInputParam } from "./sdk.ts"
import { find } from "./sessions.ts"
import { earliestOpenTurn } from "./openTurn.ts"
import { streamAfter, streamLive } from "./stream.ts"

export const stream = async ({
  backend,
  lastEventId,
  params: { session_id = "" },
  query,
  told
}: Call): Promise<Response> => {
  const { session, view } = await find(backend, session_id)
  checkQuery(query, ["after"])
  const after = query.get("after") ?? lastEventId
  return after === null ? streamLive(session, view, told) : streamAfter(session, view, told, after)
}

type InputOf<Type extends AgentSessionInputParam["type"]> = Extract<AgentSessionInputParam, { readonly type: Type }>

type Input =
  | { readonly _tag: "Message"; readonly prompt: Prompt }
  | { readonly _tag: "Cancel" }
  | { readonly _tag: "Result"; readonly result: ToolResult }

interface ToolResult {
  readonly call: string
  readonly turn: string
  readonly isSuccess: boolean
  readonly output: string
}

const maxEvents = 16

/** Nothing is done where one of them is wrong. */
export const create = async ({ backend, body, key, params: { session_id = "" } }: Call): Promise<Response> => {
  const { session, view } = await find(backend, session_id)
  const given = await body()
  const { events } = checkParameters<{ readonly events: unknown }>(given, { events: taken })
  if (!Array.isArray(events) || events.length === 0 || events.length > maxEvents) {
    throw invalid("events", `must be a list of 1 to ${maxEvents} events.`)
  }
  const inputs = events.map((event, nth) => readEvent(event, `events[${nth}]`))
  const fingerprint = fingerprintOf(given)
  for (const [nth, input] of inputs.entries()) {
    // A key of one event is the client's own; of several, each has its place in it.
    const named = key === undefined || inputs.length === 1 ? key : `${key}:${nth}`
    await perform(session, view, input, named === undefined ? {} : { idempotencyKey: named, fingerprint })
  }
  return new Response(null, { status: 202 })
}

const perform = async (
  session: SessionBackend,
  view: SessionInfo,
  input: Input,
  named: { readonly idempotencyKey?: string; readonly fingerprint?: string }
): Promise<void> => {
  switch (input._tag) {
    case "Message": {
      const { schema } = openedOf(view)
      const outputSchema = schema === null ? {} : { outputSchema: schema }
      await session.submit({ prompt: input.prompt, queue: true, ...outputSchema, ...named })
      return
    }
    case "Cancel": {
      // Also one that waits in line while the session is left alone; never one that begins meanwhile.
      const open = await earliestOpenTurn(session, await session.view())
      if (open !== null) await session.interrupt(open)
      return
    }
    case "Result":
      await answer(session, view, input.result)
  }
}

const message: Parameters<InputOf<"agent.session.input.message">> = { type: taken, input: taken }
const cancel: Parameters<InputOf<"agent.session.input.cancel">> = { type: taken }
const toolResult: Parameters<InputOf<"agent.session.input.tool_result">> = {
  type: taken,
  call_id: taken,
  turn_id: taken,
  success: taken,
  error: taken,
  output: taken
}

const readEvent = (value: unknown, at: string): Input => {
  const { type } = objectIn(value)
  switch (type as AgentSessionInputParam["type"]) {
    case "agent.session.input.message": {
      const given = checkParameters(value, message, at)
      return { _tag: "Message", prompt: readMessages(given["input"], `${at}.input`) }
    }
    case "agent.session.input.cancel":
      checkParameters(value, cancel, at)
      return { _tag: "Cancel" }
    case "agent.session.input.tool_result":
      return { _tag: "Result", result: readResult(value, at) }
    case "agent.session.input.computer_use_approval_request_result":
      throw unsupported(
        `${at}.type`,
        "has no counterpart: agents here ask with function calls, which agent.session.input.tool_result answers."
      )
    default:
      throw invalid(
        `${at}.type`,
        "must be agent.session.input.message, agent.session.input.cancel or agent.session.input.tool_result."
      )
  }
}

const readResult = (value: unknown, at: string): ToolResult => {
  const given = checkParameters(value, toolResult, at)
  const call = textOrNull(given, "call_id", `${at}.call_id`)
  const turn = textOrNull(given, "turn_id", `${at}.turn_id`)
  if (call === null || turn === null) throw invalid(at, "must have the call_id and the turn_id of the call.")
  if (given["success"] === undefined) throw invalid(`${at}.success`, "is missing: it says whether the call succeeded.")
  return { call, turn, isSuccess: flag(given, "success"), output: outputIn(given["output"], `${at}.output`) }
}

const outputIn = (output: unknown, at: string): string => {
  if (output === undefined || output === null) return ""
  if (typeof output === "string") return output
  if (!Array.isArray(output)) throw invalid(at, "must be text, or a list of parts of type input_text.")
  return output
    .map((part) => {
      const { text, type } = objectIn(part)
      if (type === "input_text" && typeof text === "string") return text
      throw unsupported(at, "must be text, or parts of type input_text: it is an answer, not something to see.")
    })
    .join("")
}

/** The same answer again is none: it has been given. */
const answer = async (session: SessionBackend, view: SessionInfo, { call, turn, ...result }: ToolResult) => {
  const index = turnIn(turn, view.id)
  if (index === null) throw noSuchCall(call)
  const approval = (await session.approvals()).find(({ id }) => id === call)
  if (approval !== undefined && approval.turn !== index) throw noSuchCall(call)
  if (approval === undefined) return answeredBefore(session, view, index, call, result)
  const { answers, decision } = answerIn(approval, result)
  try {
    await session.answer(call, decision, answers)
  } catch (error) {
    if (!(error instanceof TroupeError) || error.code !== "approval_settled") throw error
    await answeredBefore(session, view, index, call, result)
  }
}

const answeredBefore = async (
  session: SessionBackend,
  { turnCount }: SessionInfo,
  turn: number,
  call: string,
  result: Omit<ToolResult, "call" | "turn">
): Promise<void> => {
  if (turn > turnCount) throw noSuchCall(call)
  const found = await settledIn(session, turn, call)
  if (found === null) throw noSuchCall(call)
  const { asked, settled } = found
  const given = answerIn({ fields: asked.fields ?? null }, result)
  if (settled.status === "answered" && isAsSettled(given, settled)) return
  throw new TroupeError({
    code: "approval_settled",
    status: 409,
    message: `The call ${call} is ${settled.status} already, and what was decided stands: ${settled.decision}.`
  })
}

interface Settled {
  readonly asked: { readonly fields?: ApprovalRecord["fields"] | undefined }
  readonly settled: TroupeParams["approval_settled"]
}

const settledIn = async (session: SessionBackend, turn: number, call: string): Promise<Settled | null> => {
  let asked: TroupeParams["approval_asked"] | null = null
  for await (const { message } of session.turnEvents(turn, undefined, false)) {
    const params = objectIn("params" in message ? message.params : undefined)
    if (params["approval_id"] === call && message.method === "_troupe/approval_asked") {
      asked = params as unknown as TroupeParams["approval_asked"]
    }
    if (params["approval_id"] === call && message.method === "_troupe/approval_settled" && asked !== null) {
      return { asked, settled: params as unknown as TroupeParams["approval_settled"] }
    }
  }
  return null
}
