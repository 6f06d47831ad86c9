/** A turn of an ACP session that runs: what is noted of it, and how its end is read. */
import { nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { Failure, StopReason } from "../../domain/Turn.ts"
import type { RpcError } from "../RpcError.ts"
import * as Failures from "./failures.ts"
import type { AgentIdentity } from "./failures.ts"
import { stopReasonIn } from "./promptResult.ts"

/** An agent's reply to `session/prompt`. */
export type PromptReply =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: RpcError }

export interface RunningTurn {
  readonly turn: number
  received: boolean
  cancelling: boolean
  denied: boolean
  /** codex reported that its thread is in an error state. */
  inError: boolean
  /** The last text that belongs to no message of the model: codex-acp's own words, such as why a turn failed. */
  adapterText: string
}

export const failureOf = (identity: AgentIdentity, ended: RunningTurn, reply: PromptReply): Failure | null => {
  if (!reply.ok) {
    // An error of a turn that was cancelled is the cancel's effect.
    const expected = ended.cancelling && !isDeath(reply.error)
    return expected ? null : Failures.ofError(identity, "session/prompt", reply.error)
  }
  const typed = Failures.ofResult(identity, reply.result)
  if (typed !== null) return typed
  const { stopReason, usage } = objectIn(reply.result)
  if (nonEmptyTextIn(stopReason) === null && !ended.received) {
    return Failures.malformed(identity, "the result of a prompt has no stopReason, and nothing came before it.")
  }
  if (ended.inError && usage === null && stopReason === "end_turn") {
    return Failures.ofText(identity, ended.adapterText)
  }
  return null
}

/** codex-acp's 1001, and the loss of the session that died with its process. */
const isDeath = (error: RpcError) =>
  error.code === 1001 || error.code === Failures.notFound || /exited unexpectedly/.test(error.message)

export const stopReasonOf = (ended: RunningTurn, result: unknown): StopReason => {
  const reason = stopReasonIn(result)
  // codex ends the turn as cancelled after a denial, although nobody cancelled it (Claude sends `end_turn` then).
  return reason === "cancelled" && ended.denied && !ended.cancelling ? "end_turn" : reason
}
