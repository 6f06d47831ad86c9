/** What a message of the session does: it is printed, ends the turn, or announces an approval. */
import { Effect } from "effect"
import { infoOf } from "../../../machines/session/stateInfo.ts"
import { at, integerIn, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { SessionUpdate } from "../../domain/Acp.ts"
import type { NarratedMessage } from "../narration.ts"
import { oneLine } from "../terminal.ts"
import type { ChatParts } from "./ChatParts.ts"
import type { ChatMessage } from "./Conversation.ts"
import * as Words from "./words.ts"

export const makeMessageHandler = ({
  approvals,
  console,
  conversation,
  narrator,
  output,
  perform,
  state
}: ChatParts) => {
  const isPast = () => state.running?.past !== undefined

  const endTurn = ({ error, result }: NarratedMessage) => {
    if (!isPast()) state.running = null
    if (error !== undefined) {
      state.failed ||= !isPast()
      return output.complain(`${String(at(error, "data", "class") ?? "failed")}: ${String(at(error, "message"))}`, "\n")
    }
    const stopReason = String(at(result, "stopReason"))
    if (at(result, "_meta", "troupe/accepted_without_end") === true) output.note(Words.withoutEnd)
    if (stopReason === "end_turn") console.write(narrator.end())
    else output.note(stopReason === "cancelled" ? "— interrupted" : `— ${oneLine(stopReason)}`)
    console.write("\n")
  }

  /** Turns of others than this chat, and of a chat before, are shown with their prompts, and waited for. */
  const followTurn = ({ phase, prompt, turn_index }: Readonly<Record<string, unknown>>) => {
    const { running } = state
    const isOwn = running !== null && !running.announced
    if (phase === "submitted") {
      if (isOwn) running.announced = true
      else if (nonEmptyTextIn(prompt) !== null) output.print(Words.promptText(String(prompt)))
    }
    const past = running?.past
    if (past !== undefined) {
      if (phase !== past.phase || turn_index !== past.turnIndex) return
      state.running = null
    }
    if (phase !== "ended" && state.running === null)
      state.running = { announced: true, accepted: true, steerable: false, interrupted: false }
  }

  return Effect.fnUntraced(function* (message: ChatMessage) {
    console.json?.event(message)
    const { method, params } = message
    if (method === undefined) return endTurn(message)
    if (method === "_troupe/turn") return followTurn(objectIn(params))
    if (method === "_troupe/approval_asked") {
      const approval = conversation().approval(String(at(params, "approval_id")))
      yield* perform(Effect.map(approval, (approval) => ({ _tag: "ApprovalRequested", approval }) as const))
      return
    }
    if (method === "_troupe/approval_settled") return output.note(approvals.settled(objectIn(params)))
    if (method.startsWith("_troupe/")) {
      if (state.running !== null && infoOf(String(at(params, "to")))?.tags.has("steerable") === true)
        state.running.steerable = true
      return output.note(Words.sentenceOf(method, params))
    }
    const update: SessionUpdate = { sessionUpdate: "", ...objectIn(at(params, "update")) }
    const [used, size] = [integerIn(update["used"]), integerIn(update["size"])]
    if (update.sessionUpdate === "usage_update" && used !== null && size !== null) state.context = { used, size }
    output.note(Words.asideOf(update))
    // After a turn no more output may follow for long, so the line is ended at once.
    console.write(narrator.narrate(message) + (state.running === null ? narrator.end() : ""))
  })
}
