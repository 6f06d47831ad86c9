/**
 * Codex's notifications as facts: pure but for the state it keeps, which is what a reader of the stream would remember.
 *
 * Routed strictly by thread: sub-agents share the connection, and what they do is none of this conversation. Within the
 * thread by turn: a command that outlives its turn ends under the turn that started it. `item/completed` is what counts;
 * deltas only come early. One end for each turn, and every `tool_call_update` has its `tool_call` before it.
 */
import { updateMessage } from "../../domain/Acp.ts"
import type { SessionUpdate } from "../../domain/Acp.ts"
import type { AgentFact } from "../Agent.ts"
import { failedEnd } from "./failures.ts"
import * as Items from "./items.ts"
import { changesIn, itemIn, tokensIn } from "./wire.ts"
import { forgetOldest } from "../forgetOldest.ts"
import type { Change, Item } from "./wire.ts"
import * as Texts from "./texts.ts"
import * as Turns from "./Turns.ts"
import { listIn, numberIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"

/** Items that may be open at once; an app-server has a handful. Beyond, the oldest is forgotten. */
const maxOpenItems = 1_024

/** Of a command's output this much is passed on while it runs; all of it is in the end of the call. */
const outputStreamedCharacters = 64 * 1_024

/** An item that has begun and not ended. `sent` is the text that went out of it, of the kind in `stream`. */
interface OpenItem {
  readonly type: string
  readonly agentTurnId: string | null
  sent: string
  stream: "summary" | "content" | null
  part: number
  outputLeft: number
  /** It waits for an approval: no process yet, and no end if its turn is interrupted. */
  markApproval: boolean
  readonly changes: ReadonlyArray<Change>
}

export interface Translator {
  /** The thread is known: only what concerns it is heard from now on. */
  readonly adopt: (thread: string) => void
  readonly begin: Turns.Turns["begin"]
  readonly dropPrompt: Turns.Turns["dropPrompt"]
  readonly running: Turns.Turns["running"]
  /** `turn/start` was answered with this id. */
  readonly accepted: (agentTurnId: string) => ReadonlyArray<AgentFact>
  /** Commands of the thread run, or have not been said to have ended. */
  readonly commandsOpen: () => boolean
  readonly notification: (method: string, params: unknown) => ReadonlyArray<AgentFact>
  /** An approval is asked for or answered; gives what is known of the item, and the turn that it belongs to. */
  readonly markApproval: (params: JsonObject, asking: boolean) => ApprovalContext
}

export interface ApprovalContext {
  readonly turn: number | null
  readonly toolCallId: string | null
  readonly changes: ReadonlyArray<Change>
}

const none: ReadonlyArray<AgentFact> = []

/** `resuming` is the thread asked for; a new one has no name yet, and until it has one nothing else is there to be heard. */
export const make = (resuming: string | null): Translator => {
  let thread = resuming
  const turns = Turns.make()
  const items = new Map<string, OpenItem>()

  // ---- turns

  const began = (turn: number | null, agentTurnId: string): ReadonlyArray<AgentFact> =>
    turn === null ? none : [{ _tag: "TurnStarted", turn, agentTurnId }]

  const turnStarted = (params: JsonObject): ReadonlyArray<AgentFact> => {
    const id = textIn(objectIn(params["turn"])["id"])
    return id === null ? none : began(turns.started(id), id)
  }

  const turnCompleted = (params: JsonObject): ReadonlyArray<AgentFact> => {
    const ended = objectIn(params["turn"])
    const id = textIn(ended["id"])
    if (id === null) return none
    const closed = closeItems(id)
    const turn = turns.ended(id)
    if (turn === null) return closed
    return [...closed, { _tag: "TurnEnded", turn: turn.index, usage: turn.usage, ...endOf(ended) }]
  }

  const update = (agentTurnId: string | null, content: SessionUpdate): AgentFact => ({
    _tag: "Update",
    turn: turns.indexOf(agentTurnId),
    message: updateMessage(thread ?? "", content)
  })

  /** News of the agent itself, which ACP has no kind for. */
  const note = (agentTurnId: string | null, meta: JsonObject): ReadonlyArray<AgentFact> => [
    update(agentTurnId, { sessionUpdate: "session_info_update", _meta: meta })
  ]

  // ---- items

  const opened = (item: Item, agentTurnId: string | null): OpenItem => {
    const known = items.get(item.id)
    if (known !== undefined) return known
    const fresh: OpenItem = {
      type: item.type,
      agentTurnId,
      sent: "",
      stream: null,
      part: 0,
      outputLeft: outputStreamedCharacters,
      markApproval: false,
      changes: item.type === "fileChange" ? changesIn(item) : []
    }
    items.set(item.id, fresh)
    forgetOldest(items, maxOpenItems)
    return fresh
  }

  const itemStarted = (params: JsonObject): ReadonlyArray<AgentFact> => {
    const item = itemIn(params)
    if (item === null || items.has(item.id)) return none
    const agentTurnId = textIn(params["turnId"])
    opened(item, agentTurnId)
    if (Items.isToolCall(item)) return [update(agentTurnId, Items.toolCall(item))]
    return item.type === "contextCompaction" ? note(agentTurnId, { "troupe/compaction": "started" }) : none
  }

  const itemCompleted = (params: JsonObject): ReadonlyArray<AgentFact> => {
    const item = itemIn(params)
    if (item === null) return none
    const agentTurnId = textIn(params["turnId"])
    const begun = items.get(item.id)
    items.delete(item.id)
    if (Items.isToolCall(item)) {
      const end = update(agentTurnId, Items.toolCallEnd(item))
      return begun === undefined ? [update(agentTurnId, Items.toolCall(item)), end] : [end]
    }
    switch (item.type) {
      // The prompt's echo: whoever prompted knows it.
      case "userMessage":
        return none
      case "agentMessage": {
        const text = textIn(item["text"]) ?? ""
        const meta = { "troupe/completed": true, "troupe/phase": textIn(item["phase"]) }
        return [chunk(agentTurnId, item.id, Texts.rest(text, begun?.sent ?? ""), meta)]
      }
      case "reasoning": {
        const text = Texts.thoughtOf(item, begun?.stream ?? null)
        if (text === "") return none
        return [thought(agentTurnId, item.id, Texts.rest(text, begun?.sent ?? ""), { "troupe/completed": true })]
      }
      case "contextCompaction":
        return note(agentTurnId, { "troupe/compaction": "completed" })
      default:
        return note(agentTurnId, { "troupe/item": { type: item.type, payload: Texts.payload(item) } })
    }
  }

  /** What is still open when its turn ends, and codex will not close. Commands may run on and end later. */
  const closeItems = (agentTurnId: string): ReadonlyArray<AgentFact> => {
    const facts: Array<AgentFact> = []
    for (const [id, item] of items) {
      if (item.agentTurnId !== agentTurnId || (item.type === "commandExecution" && !item.markApproval)) continue
      items.delete(id)
      if (Items.isToolCall({ type: item.type, id })) facts.push(update(agentTurnId, Items.toolCallAbandoned(id)))
      else if (item.sent !== "")
        facts.push(
          item.type === "reasoning" ? thought(agentTurnId, id, "", cutOff) : chunk(agentTurnId, id, "", cutOff)
        )
    }
    return facts
  }

  const chunk = (agentTurnId: string | null, messageId: string, text: string, meta?: JsonObject) =>
    update(agentTurnId, Texts.chunk("agent_message_chunk", messageId, text, meta))

  const thought = (agentTurnId: string | null, messageId: string, text: string, meta?: JsonObject) =>
    update(agentTurnId, Texts.chunk("agent_thought_chunk", messageId, text, meta))

  const messageDelta = (params: JsonObject): ReadonlyArray<AgentFact> => {
    const id = textIn(params["itemId"])
    const delta = textIn(params["delta"])
    if (id === null || delta === null) return none
    const agentTurnId = textIn(params["turnId"])
    opened({ type: "agentMessage", id }, agentTurnId).sent += delta
    return [chunk(agentTurnId, id, delta)]
  }

  /** Summary or raw content, whichever begins: the same thought would otherwise be told twice. */
  const thoughtDelta = (stream: "summary" | "content", params: JsonObject): ReadonlyArray<AgentFact> => {
    const id = textIn(params["itemId"])
    const delta = textIn(params["delta"])
    if (id === null || delta === null) return none
    const agentTurnId = textIn(params["turnId"])
    const item = opened({ type: "reasoning", id }, agentTurnId)
    item.stream ??= stream
    if (item.stream !== stream) return none
    const part = numberIn(params["summaryIndex"] ?? params["contentIndex"]) ?? 0
    const text = part === item.part ? delta : `${Texts.partsApart}${delta}`
    item.part = part
    item.sent += text
    return [thought(agentTurnId, id, text)]
  }

  const outputDelta = (params: JsonObject): ReadonlyArray<AgentFact> => {
    const id = textIn(params["itemId"])
    const delta = textIn(params["delta"])
    const item = id === null ? undefined : items.get(id)
    if (id === null || delta === null || item === undefined || item.outputLeft <= 0) return none
    const text = delta.slice(0, item.outputLeft)
    item.outputLeft -= text.length
    return [update(textIn(params["turnId"]), Items.toolCallProgress(id, { "troupe/output": text }))]
  }

  const toolProgress = (params: JsonObject, meta: JsonObject): ReadonlyArray<AgentFact> => {
    const id = textIn(params["itemId"])
    return id === null || !items.has(id) ? none : [update(textIn(params["turnId"]), Items.toolCallProgress(id, meta))]
  }

  // ---- the rest

  const tokenUsage = (params: JsonObject): ReadonlyArray<AgentFact> => {
    const usage = objectIn(params["tokenUsage"])
    const last = tokensIn(usage["last"])
    const agentTurnId = textIn(params["turnId"])
    turns.recordUsage(agentTurnId, tokensIn(usage["total"]), last)
    const size = numberIn(usage["modelContextWindow"])
    // A resumed thread repeats its last: that is no news.
    if (size === null || turns.indexOf(agentTurnId) === null) return none
    return [update(agentTurnId, { sessionUpdate: "usage_update", used: last.totalTokens, size })]
  }

  const plan = (params: JsonObject): ReadonlyArray<AgentFact> => [
    update(textIn(params["turnId"]), {
      sessionUpdate: "plan",
      entries: listIn(params["plan"]).map((value) => {
        const { step, status } = objectIn(value)
        return {
          content: textIn(step) ?? "",
          priority: "medium",
          status: status === "inProgress" ? "in_progress" : (textIn(status) ?? "pending")
        }
      })
    })
  ]

  const handlers: Readonly<Record<string, (params: JsonObject) => ReadonlyArray<AgentFact>>> = {
    "item/agentMessage/delta": messageDelta,
    "item/reasoning/summaryTextDelta": (params) => thoughtDelta("summary", params),
    "item/reasoning/textDelta": (params) => thoughtDelta("content", params),
    "item/commandExecution/outputDelta": outputDelta,
    "item/commandExecution/terminalInteraction": (params) =>
      toolProgress(params, { "troupe/stdin": textIn(params["stdin"]) }),
    "item/mcpToolCall/progress": (params) => toolProgress(params, { "troupe/progress": textIn(params["message"]) }),
    "item/started": itemStarted,
    "item/completed": itemCompleted,
    "turn/started": turnStarted,
    "turn/completed": turnCompleted,
    "turn/plan/updated": plan,
    "thread/tokenUsage/updated": tokenUsage,
    // The last one of a turn comes again with the turn's end; those before it are news, and a sign of life.
    error: (params) =>
      params["willRetry"] === true ? note(textIn(params["turnId"]), { "troupe/retry": Texts.retryOf(params) }) : none,
    warning: (params) => note(null, { "troupe/warning": Texts.excerpt(params["message"]) }),
    configWarning: (params) =>
      note(null, {
        "troupe/warning": Texts.excerpt(`${textIn(params["summary"])} ${textIn(params["details"]) ?? ""}`)
      }),
    "mcpServer/startupStatus/updated": (params) =>
      params["status"] === "failed"
        ? note(null, {
            "troupe/warning": Texts.excerpt(`MCP server ${textIn(params["name"])}: ${textIn(params["error"])}`)
          })
        : none
  }

  return {
    adopt: (id) => {
      thread = id
    },
    begin: turns.begin,
    dropPrompt: turns.dropPrompt,
    running: turns.running,
    accepted: (id) => began(turns.named(id), id),
    commandsOpen: () => items.values().some((item) => item.type === "commandExecution"),
    notification: (method, params) => {
      const known = Object.hasOwn(handlers, method) ? handlers[method] : undefined
      if (known === undefined) return none
      const wire = objectIn(params)
      const about = wire["threadId"]
      return about === undefined || about === null || thread === null || about === thread ? known(wire) : none
    },
    markApproval: (params, asking) => {
      // A sub-agent asks on its own thread, for the turn that started it: the one that runs.
      if (params["threadId"] !== thread) return { turn: turns.running()?.turn ?? null, toolCallId: null, changes: [] }
      const id = textIn(params["itemId"])
      const item = id === null ? undefined : items.get(id)
      if (item !== undefined) item.markApproval = asking
      return {
        turn: turns.indexOf(textIn(params["turnId"])) ?? turns.running()?.turn ?? null,
        toolCallId: item === undefined ? null : id,
        changes: item?.changes ?? []
      }
    }
  }
}

/** Told of a text that is only a part. */
const cutOff = { "troupe/completed": false }

const endOf = (ended: JsonObject) => {
  switch (ended["status"]) {
    case "completed":
      return { stopReason: "end_turn", failure: null } as const
    case "interrupted":
      return { stopReason: "cancelled", failure: null } as const
    default: {
      const seconds = numberIn(ended["completedAt"])
      return failedEnd(ended["error"], seconds === null ? null : seconds * 1_000)
    }
  }
}
