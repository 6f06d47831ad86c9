/**
 * What the session's stream says of its turns: `_troupe/turn` when one is submitted, starts and ends, and the reply to its
 * prompt, which is its last event.
 *
 * They are made in the step's own commit, so that the stream alone tells every turn, whatever became of it.
 */
import { pathToFileURL } from "node:url"
import type { SessionSnapshot, Settlement } from "../../machines/session/machine.ts"
import { acceptedWithoutEnd, interruptedFor, notHanded } from "../domain/Acp.ts"
import type { ResultMessage, TroupeMessage } from "../domain/Acp.ts"
import { troupeMessage } from "../domain/events/troupeMessage.ts"
import type { PromptBlock, SubmittedBlock } from "../domain/PromptContent.ts"
import type { StopReason, Usage } from "../domain/Turn.ts"
import { errorOf } from "../domain/TurnOutcome.ts"
import type { Step } from "./Step.ts"

/** The messages of one step's turns. */
export const turnMessages = ({ at, before, compaction, event, submission }: Step) => {
  const submitted = event.type === "turn.submitted" && submission !== null ? { turn: event.turn, ...submission } : null

  const common = (turn: number) => {
    const isCompaction = turn === submitted?.turn ? submitted.kind === "compact" : turn === compaction
    return { turn_index: turn, at: at / 1000, kind: isCompaction ? "compact" : "prompt" } as const
  }
  const said = (turn: number, message: TroupeMessage | ResultMessage) => ({ turn, message })

  return {
    /** `opened`: the turn that begins in this step. */
    submitted: (opened: number | undefined) =>
      submitted === null
        ? []
        : [
            said(
              submitted.turn,
              troupeMessage("turn", {
                phase: "submitted",
                ...common(submitted.turn),
                prompt: submitted.prompt,
                content: submitted.content?.map(submittedBlock) ?? null,
                queued: opened !== submitted.turn
              })
            )
          ],

    /** A turn that goes on after Troupe died is opened once more, and does not start again. */
    started: (turn: number) =>
      before.hasTag("turnOpen") && before.context.turn === turn
        ? []
        : [said(turn, troupeMessage("turn", { phase: "started", ...common(turn) }))],

    /** The reply comes first: those who read the turn stop there, and those who read the session go on. */
    ended: (settlement: Settlement, usage: Usage, handed: boolean) => {
      const { failure, status, stopReason, turn } = settlement
      const { error, errorClass } = errorOf(status, failure)
      const ended = troupeMessage("turn", {
        phase: "ended",
        ...common(turn),
        status,
        stop_reason: stopReason as StopReason,
        error,
        error_class: errorClass,
        usage: {
          input_tokens: usage.inputTokens,
          cached_input_tokens: usage.cachedInputTokens,
          output_tokens: usage.outputTokens,
          reasoning_tokens: usage.reasoningTokens,
          total_tokens: usage.totalTokens
        }
      })
      return [said(turn, endOf(settlement, usage, handed, before)), said(turn, ended)]
    }
  }
}

const submittedBlock = (block: PromptBlock): SubmittedBlock => {
  if (block.type !== "image") return block
  const { mimeType, path, type } = block
  return { type, mimeType, uri: pathToFileURL(path).href }
}

/**
 * The turn's last event: the reply to its prompt as an ACP client would read it, with what ACP has no field for in `_meta`.
 * `before`: the session's state when it ended.
 */
const endOf = (settlement: Settlement, usage: Usage, handed: boolean, before: SessionSnapshot): ResultMessage => {
  const { failure, status, stopReason, turn, withoutEnd } = settlement
  const reason = reasonOf(settlement, before)
  const marks = {
    ...(withoutEnd ? acceptedWithoutEnd : handed ? {} : notHanded),
    ...(reason === "" ? {} : interruptedFor(reason))
  }
  const meta = Object.keys(marks).length === 0 ? {} : { _meta: marks }
  return status === "completed" || status === "interrupted"
    ? { jsonrpc: "2.0", id: turn, result: { stopReason, usage, ...meta } }
    : {
        jsonrpc: "2.0",
        id: turn,
        error: {
          code: -32000,
          message: failure?.message ?? "The turn failed.",
          data: { class: failure?.class, ...meta }
        }
      }
}

/** An agent that ends its turn after an interrupt does not say why; the request for the interrupt did. */
const reasonOf = ({ failure, status, turn }: Settlement, before: SessionSnapshot): string => {
  if (status !== "interrupted") return ""
  if (failure?.class === "interrupted") return failure.message
  return before.hasTag("interrupting") && before.context.turn === turn ? before.context.reason : ""
}
