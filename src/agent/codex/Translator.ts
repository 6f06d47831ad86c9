/**
 * Translates codex's notifications to facts. It keeps the state that a reader of the stream would remember, and is pure
 * otherwise.
 *
 * Notifications of other threads are ignored: sub-agents share the connection. Within the thread they are attributed to
 * turns: a command that outlives its turn ends under the turn that started it. Each turn has one end.
 */
import { updateMessage } from "../../domain/Acp.ts"
import type { SessionUpdate } from "../../domain/Acp.ts"
import { listIn, numberIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { AgentFact } from "../Agent.ts"
import * as Refusals from "../Refusals.ts"
import { failedEnd } from "./failures.ts"
import * as OpenItems from "./OpenItems.ts"
import * as Texts from "./texts.ts"
import * as Turns from "./Turns.ts"
import { usageIn } from "./wire.ts"
import type { Change } from "./wire.ts"

export interface Translator {
  /** Sets the thread. From now on only its notifications count. */
  readonly adopt: (thread: string) => void
  readonly begin: Turns.Turns["begin"]
  readonly dropPrompt: Turns.Turns["dropPrompt"]
  readonly running: Turns.Turns["running"]
  /** `turn/start` was answered with this id. */
  readonly accepted: (agentTurnId: string) => ReadonlyArray<AgentFact>
  /** No end has come for a command of the thread. */
  readonly commandsOpen: () => boolean
  readonly notification: (method: string, params: unknown) => ReadonlyArray<AgentFact>
  /** The turn with this id has failed with this error. An end as interrupted is the end of a failed turn. */
  readonly failed: (agentTurnId: string, error: unknown) => void
  /** codex was too busy for a request, which is made again; of the turn that was prompted, if one was. */
  readonly overloaded: (method: string, reason: string) => AgentFact
  /** Notes that an item waits for an approval, or no longer does; gives the turn and the item of the request. */
  readonly markApproval: (params: JsonObject, awaitsApproval: boolean) => ApprovalContext
}

export interface ApprovalContext {
  readonly turn: number | null
  readonly toolCallId: string | null
  readonly changes: ReadonlyArray<Change>
}

type Facts = ReadonlyArray<AgentFact>

const none: Facts = []

/** `resuming`: the thread to resume. `null`: a new one, whose id comes later; until then every notification counts. */
export const make = (resuming: string | null): Translator => {
  let thread = resuming
  const turns = Turns.make()
  const refusals = Refusals.make()
  let failed: { readonly id: string; readonly error: unknown } | null = null

  const update = (agentTurnId: string | null, content: SessionUpdate): AgentFact => ({
    _tag: "Update",
    turn: turns.indexOf(agentTurnId),
    message: updateMessage(thread ?? "", content)
  })
  const items = OpenItems.make(update)

  /** Reports what ACP has no kind for. */
  const info = (agentTurnId: string | null, meta: JsonObject): Facts => [update(agentTurnId, Texts.info(meta))]
  const warning = (text: unknown): Facts => info(null, { "troupe/warning": Texts.excerpt(text) })

  const began = (turn: number | null, agentTurnId: string): Facts =>
    turn === null ? none : [{ _tag: "TurnStarted", turn, agentTurnId }]

  const turnStarted = (params: JsonObject): Facts => {
    const id = textIn(objectIn(params["turn"])["id"])
    return id === null ? none : began(turns.started(id), id)
  }

  const turnCompleted = (params: JsonObject): Facts => {
    const ended = objectIn(params["turn"])
    const id = textIn(ended["id"])
    if (id === null) return none
    const itemEnds = items.endTurn(id)
    const turn = turns.ended(id)
    if (turn === null) return itemEnds
    const isFailed = failed?.id === id && ended["status"] === "interrupted"
    const outcome = isFailed ? { ...ended, status: "failed", error: failed?.error } : ended
    const { failure: reported, stopReason } = endOf(outcome)
    const failure = reported === null ? null : refusals.judge("Codex", reported)
    if (stopReason === "end_turn") refusals.reset()
    return [...itemEnds, { _tag: "TurnEnded", turn: turn.index, usage: turn.usage, stopReason, failure }]
  }

  const tokenUsage = (params: JsonObject): Facts => {
    const usage = objectIn(params["tokenUsage"])
    const last = usageIn(usage["last"])
    const agentTurnId = textIn(params["turnId"])
    turns.recordUsage(agentTurnId, usageIn(usage["total"]), last)
    const size = numberIn(usage["modelContextWindow"])
    // A resumed thread repeats its last usage, which belongs to no turn of this connection.
    if (size === null || turns.indexOf(agentTurnId) === null) return none
    return [update(agentTurnId, { sessionUpdate: "usage_update", used: last.totalTokens, size })]
  }

  const plan = (params: JsonObject): Facts => [
    update(textIn(params["turnId"]), {
      sessionUpdate: "plan",
      entries: listIn(params["plan"]).map((value) => {
        const { status, step } = objectIn(value)
        return {
          content: textIn(step) ?? "",
          priority: "medium",
          status: status === "inProgress" ? "in_progress" : (textIn(status) ?? "pending")
        }
      })
    })
  ]

  const handlers: Readonly<Record<string, (params: JsonObject) => Facts>> = {
    "item/agentMessage/delta": items.messageDelta,
    "item/reasoning/summaryTextDelta": (params) => items.thoughtDelta("summary", params),
    "item/reasoning/textDelta": (params) => items.thoughtDelta("content", params),
    "item/commandExecution/outputDelta": items.outputDelta,
    "item/commandExecution/terminalInteraction": (params) =>
      items.progress(params, { "troupe/stdin": textIn(params["stdin"]) }),
    "item/mcpToolCall/progress": (params) => items.progress(params, { "troupe/progress": textIn(params["message"]) }),
    "item/started": items.started,
    "item/completed": items.completed,
    "turn/started": turnStarted,
    "turn/completed": turnCompleted,
    "turn/plan/updated": plan,
    "thread/tokenUsage/updated": tokenUsage,
    // A turn's last error comes again with the turn's end. Those before it are retries, and a sign of life.
    error: (params) =>
      params["willRetry"] === true ? info(textIn(params["turnId"]), { "troupe/retry": Texts.retryOf(params) }) : none,
    warning: (params) => warning(params["message"]),
    configWarning: (params) => warning(`${textIn(params["summary"])} ${textIn(params["details"]) ?? ""}`),
    "mcpServer/startupStatus/updated": (params) =>
      params["status"] === "failed" ? warning(`MCP server ${textIn(params["name"])}: ${textIn(params["error"])}`) : none
  }

  return {
    adopt: (id) => {
      thread = id
    },
    begin: turns.begin,
    dropPrompt: turns.dropPrompt,
    running: turns.running,
    accepted: (id) => began(turns.identify(id), id),
    failed: (id, error) => {
      failed = { id, error }
    },
    commandsOpen: items.hasCommand,
    overloaded: (method, reason) => ({
      _tag: "Update",
      turn: turns.running()?.turn ?? null,
      message: updateMessage(thread ?? "", Texts.info({ "troupe/retry": Texts.overloaded(method, reason) }))
    }),
    notification: (method, params) => {
      const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined
      if (handler === undefined) return none
      const object = objectIn(params)
      const of = object["threadId"]
      return of === undefined || of === null || thread === null || of === thread ? handler(object) : none
    },
    markApproval: (params, awaitsApproval) => {
      // A sub-agent asks on its own thread, for the turn that started it, which is the one that runs.
      if (params["threadId"] !== thread) return { turn: turns.running()?.turn ?? null, toolCallId: null, changes: [] }
      const id = textIn(params["itemId"])
      const changes = id === null ? null : items.markApproval(id, awaitsApproval)
      return {
        turn: turns.indexOf(textIn(params["turnId"])) ?? turns.running()?.turn ?? null,
        toolCallId: changes === null ? null : id,
        changes: changes ?? []
      }
    }
  }
}

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
