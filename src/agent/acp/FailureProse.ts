/**
 * Keeps the words in which an adapter explains a failure out of the answer. Pure.
 *
 * claude-agent-acp and codex-acp send them as a text of the assistant, and then end the turn with the failure itself. So
 * such a text is held until the turn goes on, or ends well. (The extension by which they would leave it out,
 * `_meta.jetbrains.air`, has them also leave out the output of tools and the commands of approvals.)
 */
import { at } from "../../domain/json.ts"
import type { UpdateFact } from "./TurnTracker.ts"

/** Updates without content of the turn do not show that it goes on. */
const isOfNoContent: ReadonlySet<string> = new Set([
  "usage_update",
  "session_info_update",
  "available_commands_update",
  "config_option_update",
  "current_mode_update"
])

/** The model's messages have ids that begin otherwise: `msg_…`. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export class FailureProse {
  #held: ReadonlyArray<UpdateFact> = nothing

  /** The facts to emit now, in their order. */
  pass(fact: UpdateFact): ReadonlyArray<UpdateFact> {
    const goesOn = !isOfNoContent.has(fact.message.params.update.sessionUpdate)
    // What comes behind a text that is held waits with it, so that the order stays.
    if (isAdapters(fact) || (this.#held.length > 0 && !goesOn)) {
      this.#held = [...this.#held, fact]
      return nothing
    }
    return [...this.#release(), fact]
  }

  /** The turn has ended: what was held, without the texts if the turn has failed. */
  end(hasFailed: boolean): ReadonlyArray<UpdateFact> {
    return this.#release().filter((fact) => !hasFailed || !isAdapters(fact))
  }

  #release(): ReadonlyArray<UpdateFact> {
    const facts = this.#held
    this.#held = nothing
    return facts
  }
}

const nothing: ReadonlyArray<UpdateFact> = []

export const make = (): FailureProse => new FailureProse()

/** A text that is the adapter's own: Claude's has an id of its own making, codex-acp's has none. */
const isAdapters = ({ message }: UpdateFact): boolean => {
  const { update } = message.params
  if (update.sessionUpdate !== "agent_message_chunk") return false
  const id = at(update, "messageId")
  return id === undefined || (typeof id === "string" && uuid.test(id))
}
