/**
 * How many tool calls of a turn have ended, counted while its agent speaks: as many as `Projection.ts` finds in what was
 * stored of it, which then need not be read.
 */
import { isAgentMessage } from "../domain/Acp.ts"
import type { AcpMessage, SessionUpdate } from "../domain/Acp.ts"
import { cut } from "../domain/cut.ts"
import * as ToolCall from "../domain/ToolCall.ts"
import { isOfSubagent, isToolUpdate, ToolCalls } from "./ToolCalls.ts"
import { formOf } from "./toolMessages.ts"

/** A turn of more calls is not counted here: its agent must not fill the memory. */
const mostCalls = 4_096
/** Of the texts by which a call is recognised as what it is. */
const longestText = 64

export class ToolCount {
  /** Of the turn's own thread, and, until that has said something, of whichever. */
  readonly #own = new Calls()
  readonly #any = new Calls()
  #hasOwn = false

  /** `thread`: the turn's own. Where it speaks, what comes of other threads is that of its sub-agents. */
  received(message: AcpMessage, thread: string | null): void {
    if (!("method" in message) || !isAgentMessage(message)) return
    const { sessionId, update } = message.params
    const isOwn = thread !== null && sessionId === thread
    this.#hasOwn ||= isOwn
    if (!isToolUpdate(update) || isOfSubagent(update)) return
    if (isOwn) this.#own.merge(update)
    else if (!this.#hasOwn) this.#any.merge(update)
  }

  /** `null`: there are more than are kept. */
  get ended(): number | null {
    return this.#hasOwn ? this.#own.ended : this.#any.ended
  }
}

class Calls {
  readonly #all: Array<ToolCall.ToolCall> = []
  readonly #calls = new ToolCalls((tool) => this.#all.push(tool), mergeForm)

  merge(update: SessionUpdate): void {
    if (this.#all.length <= mostCalls) this.#calls.merge(update)
  }

  get ended(): number | null {
    if (this.#all.length > mostCalls) return null
    return this.#all.filter((tool) => tool.called && ToolCall.ended(tool) && formOf(tool) === "Call").length
  }
}

/** Its texts are kept as far as they say what the call is. */
const mergeForm = (tool: ToolCall.ToolCall, update: SessionUpdate): void => {
  const { item, name, title } = tool
  ToolCall.mergeForm(tool, update)
  if (tool.title !== title) tool.title &&= cut(tool.title, longestText)
  if (tool.name !== name) tool.name &&= cut(tool.name, longestText)
  if (tool.item !== item) tool.item &&= { type: tool.item["type"] }
}
