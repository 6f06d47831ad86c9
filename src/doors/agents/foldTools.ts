/** An agent's tool calls as items, from the updates that tell of them. */
import { nonEmptyTextIn } from "../../domain/json.ts"
import type { SessionUpdate } from "../../domain/Acp.ts"
import * as ToolCall from "../../domain/ToolCall.ts"
import { itemId } from "./ids.ts"
import type { ItemList, Spot } from "./itemList.ts"
import type { UnnamedEvent } from "./sdk.ts"
import { kindOf, toolItemOf } from "./toolItems.ts"
import type { ToolItem, ToolKind } from "./toolItems.ts"

type Events = ReadonlyArray<UnnamedEvent>

interface OpenTool {
  readonly tool: ToolCall.ToolCall
  readonly kind: ToolKind
  readonly spot: Spot
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

/** `before`: what is told before a call begins. */
export const foldTools = (list: ItemList, agent: string, before: () => Events) => {
  const tools = new Map<string, ToolCall.ToolCall>()
  const open = new Map<string, OpenTool>()

  const itemOf = ({ kind, spot, startedAt, tool }: OpenTool, now: number, isOver = false): ToolItem =>
    toolItemOf(tool, kind, {
      id: itemId(kind, list.place, spot.nth),
      turn_id: list.at.turn_id,
      agent,
      duration: ToolCall.ended(tool) ? Math.max(0, now - startedAt) : null,
      isOver
    })

  const begin = (id: string, tool: ToolCall.ToolCall, startedAt: number): Events => {
    const kind = tool.called ? kindOf(tool) : null
    if (kind === null) return []
    const told = before()
    const one = { tool, kind, spot: list.nextSpot(), startedAt }
    open.set(id, one)
    // As it began, also where this same update ends it.
    const begun = { ...one, tool: { ...tool, status: null, ending: null } }
    return [...told, list.add(itemOf(begun, startedAt), one.spot)]
  }

  const deltaOf = ({ kind, spot }: OpenTool, delta: string): Events =>
    delta === "" || kind !== "cmd"
      ? []
      : [
          {
            type: "agent.output.command_execution_output.delta",
            ...list.at,
            item_id: itemId("cmd", list.place, spot.nth),
            output_index: spot.output_index,
            delta
          }
        ]

  return {
    take: (update: SessionUpdate, now: number): Events => {
      const id = nonEmptyTextIn(update["toolCallId"])
      if (id === null) return []
      const known = tools.get(id)
      // Some providers number their calls anew in each answer: one that begins after its end is another.
      const isAnother = known === undefined || (update.sessionUpdate === "tool_call" && ToolCall.ended(known))
      const tool = isAnother ? ToolCall.begin(id) : known
      tools.set(id, tool)
      const wasOver = ToolCall.ended(tool)
      const printed = tool.streamed.length
      ToolCall.merge(tool, update)
      const begun = open.has(id) || wasOver ? [] : begin(id, tool, now)
      const one = open.get(id)
      if (one === undefined) return begun
      const told = [...begun, ...deltaOf(one, tool.streamed.slice(printed))]
      const item = itemOf(one, now)
      if (!ToolCall.ended(tool)) {
        list.replace(item, one.spot)
        return told
      }
      open.delete(id)
      return [...told, list.finish(item, one.spot)]
    },
    /** Of the turn: what has not ended will not. */
    end: (now: number): Events => [...open.values()].map((one) => list.finish(itemOf(one, now, true), one.spot))
  }
}
