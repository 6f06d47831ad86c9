/** The tool calls of one turn: which of them an update of the agent belongs to, and what all its updates together say. */
import type { SessionUpdate } from "../domain/Acp.ts"
import { at, nonEmptyTextIn } from "../domain/json.ts"
import * as ToolCall from "../domain/ToolCall.ts"

export class ToolCalls {
  /** By the agent's id, the last call that has it. */
  readonly #calls = new Map<string, ToolCall.ToolCall>()
  readonly #onBegin: (tool: ToolCall.ToolCall) => void
  readonly #merge: (tool: ToolCall.ToolCall, update: SessionUpdate) => void
  /** How many calls had the id of an earlier one. */
  #reused = 0

  /** `onBegin` gets each call before its first update is merged. `merge`: how much of an update is. */
  constructor(onBegin: (tool: ToolCall.ToolCall) => void, merge: typeof ToolCall.merge = ToolCall.merge) {
    this.#onBegin = onBegin
    this.#merge = merge
  }

  /** `null`: the update names no call. */
  merge(update: SessionUpdate): ToolCall.ToolCall | null {
    const id = nonEmptyTextIn(update["toolCallId"])
    if (id === null) return null
    const tool = this.#callOf(id, update.sessionUpdate === "tool_call")
    this.#merge(tool, update)
    return tool
  }

  /** Some providers number their calls anew in each answer, so a call that begins after its end is another one. */
  #callOf(id: string, begins: boolean): ToolCall.ToolCall {
    const known = this.#calls.get(id)
    const isAnother = known !== undefined && begins && ToolCall.ended(known)
    if (known !== undefined && !isAnother) return known
    if (isAnother) this.#reused++
    const tool = ToolCall.begin(isAnother ? `${id} ${this.#reused}` : id)
    this.#calls.set(id, tool)
    this.#onBegin(tool)
    return tool
  }
}

export const isToolUpdate = ({ sessionUpdate }: SessionUpdate): boolean =>
  sessionUpdate === "tool_call" || sessionUpdate === "tool_call_update"

/** Updates of Claude's sub-agents come in their parent's session. */
export const isOfSubagent = (update: SessionUpdate): boolean =>
  nonEmptyTextIn(at(update, "_meta", "claudeCode", "parentToolUseId")) !== null
