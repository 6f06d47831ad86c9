/**
 * The items of a codex thread that have begun and not ended, as session updates.
 *
 * An item belongs to the turn that started it, also where it ends later. `item/completed` is authoritative; deltas only
 * come earlier. Every `tool_call_update` comes after its `tool_call`.
 */
import type { SessionUpdate } from "../../domain/Acp.ts"
import { cut } from "../../domain/cut.ts"
import { numberIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { AgentFact } from "../Agent.ts"
import { forgetOldest } from "../forgetOldest.ts"
import * as Items from "./items.ts"
import * as Texts from "./texts.ts"
import { changesIn, itemIn } from "./wire.ts"
import type { Change, Item } from "./wire.ts"

/** How many items may be open at once; an app-server has a handful. Beyond that the oldest is forgotten. */
const maxOpenItems = 1_024

/** How much of a command's output is emitted while it runs; all of it is in the end of the call. */
const streamedOutputCharacters = 64 * 1_024

interface OpenItem {
  readonly type: string
  readonly agentTurnId: string | null
  /** The text that was emitted of it, of the kind in `stream`. */
  sent: string
  stream: "summary" | "content" | null
  part: number
  outputLeft: number
  /** It waits for an approval: it has no process yet, and no end if its turn is interrupted. */
  awaitsApproval: boolean
  readonly changes: ReadonlyArray<Change>
}

type Facts = ReadonlyArray<AgentFact>

/** Each method with `params` takes the parameters of a notification. */
export interface OpenItems {
  readonly started: (params: JsonObject) => Facts
  readonly completed: (params: JsonObject) => Facts
  /** Ends what is open when its turn ends, because codex will not. Commands may run on and end later. */
  readonly endTurn: (agentTurnId: string) => Facts
  readonly messageDelta: (params: JsonObject) => Facts
  readonly thoughtDelta: (stream: "summary" | "content", params: JsonObject) => Facts
  readonly outputDelta: (params: JsonObject) => Facts
  readonly progress: (params: JsonObject, meta: JsonObject) => Facts
  /** No end has come for a command. */
  readonly hasCommand: () => boolean
  /** Gives the changes of the item, if it is open. */
  readonly markApproval: (id: string, awaitsApproval: boolean) => ReadonlyArray<Change> | null
}

const none: Facts = []

export const make = (update: (agentTurnId: string | null, content: SessionUpdate) => AgentFact): OpenItems => {
  const items = new Map<string, OpenItem>()

  const open = (item: Item, agentTurnId: string | null): OpenItem => {
    const existing = items.get(item.id)
    if (existing !== undefined) return existing
    const opened: OpenItem = {
      type: item.type,
      agentTurnId,
      sent: "",
      stream: null,
      part: 0,
      outputLeft: streamedOutputCharacters,
      awaitsApproval: false,
      changes: item.type === "fileChange" ? changesIn(item) : []
    }
    items.set(item.id, opened)
    forgetOldest(items, maxOpenItems)
    return opened
  }

  const started: OpenItems["started"] = (params) => {
    const item = itemIn(params)
    if (item === null || items.has(item.id)) return none
    const agentTurnId = textIn(params["turnId"])
    open(item, agentTurnId)
    if (Items.isToolCall(item)) return [update(agentTurnId, Items.toolCall(item))]
    return item.type === "contextCompaction"
      ? [update(agentTurnId, Texts.info({ "troupe/compaction": "started" }))]
      : none
  }

  const completed: OpenItems["completed"] = (params) => {
    const item = itemIn(params)
    if (item === null) return none
    const agentTurnId = textIn(params["turnId"])
    const opened = items.get(item.id)
    items.delete(item.id)
    if (Items.isToolCall(item)) {
      const end = update(agentTurnId, Items.toolCallEnd(item))
      return opened === undefined ? [update(agentTurnId, Items.toolCall(item)), end] : [end]
    }
    const content = completedContent(item, opened)
    return content === null ? none : [update(agentTurnId, content)]
  }

  const endTurn: OpenItems["endTurn"] = (agentTurnId) => {
    const facts: Array<AgentFact> = []
    for (const [id, item] of items) {
      if (item.agentTurnId !== agentTurnId || (item.type === "commandExecution" && !item.awaitsApproval)) continue
      items.delete(id)
      if (Items.isToolCall({ type: item.type, id })) facts.push(update(agentTurnId, Items.toolCallAbandoned(id)))
      else if (item.sent !== "") {
        const kind = item.type === "reasoning" ? "agent_thought_chunk" : "agent_message_chunk"
        facts.push(update(agentTurnId, Texts.chunk(kind, id, "", cutOff)))
      }
    }
    return facts
  }

  const messageDelta: OpenItems["messageDelta"] = (params) => {
    const id = textIn(params["itemId"])
    const delta = textIn(params["delta"])
    if (id === null || delta === null) return none
    const agentTurnId = textIn(params["turnId"])
    open({ type: "agentMessage", id }, agentTurnId).sent += delta
    return [update(agentTurnId, Texts.chunk("agent_message_chunk", id, delta))]
  }

  /** Emits the summary or the raw content, whichever begins: otherwise the same thought would be emitted twice. */
  const thoughtDelta: OpenItems["thoughtDelta"] = (stream, params) => {
    const id = textIn(params["itemId"])
    const delta = textIn(params["delta"])
    if (id === null || delta === null) return none
    const agentTurnId = textIn(params["turnId"])
    const item = open({ type: "reasoning", id }, agentTurnId)
    item.stream ??= stream
    if (item.stream !== stream) return none
    const part = numberIn(params["summaryIndex"] ?? params["contentIndex"]) ?? 0
    const text = part === item.part ? delta : `${Texts.partSeparator}${delta}`
    item.part = part
    item.sent += text
    return [update(agentTurnId, Texts.chunk("agent_thought_chunk", id, text))]
  }

  const outputDelta: OpenItems["outputDelta"] = (params) => {
    const id = textIn(params["itemId"])
    const delta = textIn(params["delta"])
    const item = id === null ? undefined : items.get(id)
    if (id === null || delta === null || item === undefined || item.outputLeft <= 0) return none
    const text = cut(delta, item.outputLeft)
    // What comes after a cut is left out altogether, also where the cut left room for one character.
    item.outputLeft = text.length < delta.length ? 0 : item.outputLeft - text.length
    if (text === "") return none
    return [update(textIn(params["turnId"]), Items.toolCallProgress(id, { "troupe/output": text }))]
  }

  const progress: OpenItems["progress"] = (params, meta) => {
    const id = textIn(params["itemId"])
    return id === null || !items.has(id) ? none : [update(textIn(params["turnId"]), Items.toolCallProgress(id, meta))]
  }

  return {
    started,
    completed,
    endTurn,
    messageDelta,
    thoughtDelta,
    outputDelta,
    progress,
    hasCommand: () => items.values().some((item) => item.type === "commandExecution"),
    markApproval: (id, awaitsApproval) => {
      const item = items.get(id)
      if (item === undefined) return null
      item.awaitsApproval = awaitsApproval
      return item.changes
    }
  }
}

/** Marks a text that is incomplete. */
const cutOff = { "troupe/completed": false }

/** What is emitted when an item that is no tool call has ended; `null`: nothing. */
const completedContent = (item: Item, opened: OpenItem | undefined): SessionUpdate | null => {
  const sent = opened?.sent ?? ""
  switch (item.type) {
    // codex repeats the prompt, which its sender knows.
    case "userMessage":
      return null
    case "agentMessage": {
      const text = textIn(item["text"]) ?? ""
      const meta = { "troupe/completed": true, "troupe/phase": textIn(item["phase"]) }
      return Texts.chunk("agent_message_chunk", item.id, Texts.rest(text, sent), meta)
    }
    case "reasoning": {
      const text = Texts.thoughtOf(item, opened?.stream ?? null)
      const meta = { "troupe/completed": true }
      return text === "" ? null : Texts.chunk("agent_thought_chunk", item.id, Texts.rest(text, sent), meta)
    }
    case "contextCompaction":
      return Texts.info({ "troupe/compaction": "completed" })
    default:
      return Texts.info({ "troupe/item": { type: item.type, payload: Texts.payload(item) } })
  }
}
