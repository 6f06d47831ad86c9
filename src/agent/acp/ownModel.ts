/**
 * The model that an agent has by itself, for a conversation that it would go on with in another one.
 *
 * Claude Code keeps the model of a conversation's last answer in its transcript, and takes it up again with that, unless its
 * own settings name one (seen on claude-agent-acp 0.101). So where a turn had a model of its own, and the session has none, a
 * new conversation is opened and closed, which says what Claude has by itself. It is written nowhere: it has no prompt.
 */
import { Effect } from "effect"
import { nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { OpenRequest } from "../Agent.ts"
import type { Announced } from "./handshake.ts"
import * as Offers from "./offers.ts"
import type { SendRequest } from "./request.ts"

const closeWithinMillis = 5_000

interface Asking {
  readonly announced: Announced
  readonly request: OpenRequest
  readonly send: SendRequest
  readonly withinMillis: number
}

/** `params`: of the request that opens the session. `null`: the agent has it anyway, or does not say. */
export const ownModel = Effect.fnUntraced(function* (
  { announced, request, send, withinMillis }: Asking,
  params: object
) {
  // What is copied may have been left by a turn as well; of another session's turns nothing is known here.
  const mayBeLeft = request.turnsChoseModel || (request.thread === null && request.fork !== null)
  if (!announced.isClaude || request.model !== null || !mayBeLeft) return null
  const reply = yield* send("session/new", { ...params, mcpServers: [] }, withinMillis).pipe(
    // Opening the session itself says what is wrong.
    Effect.catchTag("RpcError", () => Effect.succeed(null))
  )
  const sessionId = nonEmptyTextIn(objectIn(reply)["sessionId"])
  if (sessionId !== null && announced.close) {
    yield* Effect.ignore(send("session/close", { sessionId }, closeWithinMillis))
  }
  return Offers.offerOf(Offers.merged({}, reply), "model")?.current ?? null
})
