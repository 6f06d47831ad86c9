/**
 * The pure middle of an ACP conversation: which turn an update belongs to, and how a turn ended.
 *
 * Facts of real agents that it is built on: updates come before, between and after prompts; a tool call can end long
 * after its turn did; other sessions (sub-agents) share the connection; `end_turn` is also said after failures and
 * `cancelled` after a denied permission. Nothing here waits, so traces can be replayed through it.
 */
import type { SessionUpdate, UpdateMessage } from "../../domain/Acp.ts"
import { StopReason } from "../../domain/Turn.ts"
import type { Failure, Usage } from "../../domain/Turn.ts"
import type { AgentFact } from "../Agent.ts"
import type { RpcError } from "../JsonRpc.ts"
import * as Failures from "./failures.ts"
import type { AgentIdentity } from "./failures.ts"
import { at, countIn, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { PermissionRequest } from "./permission.ts"

export type TurnEnded = Extract<AgentFact, { readonly _tag: "TurnEnded" }>
export type UpdateFact = Extract<AgentFact, { readonly _tag: "Update" }>

/** An agent's answer to `session/prompt`. */
export type PromptReply =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: RpcError }

export interface ToolCall {
  readonly turn: number | null
  readonly kind: string | null
  readonly title: string | null
  /** It has neither completed nor failed, as far as was said. */
  readonly open: boolean
}

export interface TurnTracker {
  /** The agent's session id. Updates of others, and all updates before it is known, are not ours. */
  thread: string | null
  /** While `session/load` plays back what was said before: nothing of that is news. */
  replaying: boolean
  /** As the agent named itself, for sentences. */
  identity: AgentIdentity
  readonly running: () => number | null
  readonly begin: (turn: number) => void
  /** The prompt was not taken: the turn never was. */
  readonly abandon: () => void
  /** Nothing of the running turn has been heard yet. */
  readonly nothingReceived: () => boolean
  /** We have asked the agent to stop the running turn. */
  readonly noteCancel: () => void
  readonly cancelling: () => boolean
  /** We have denied something in the running turn. */
  readonly noteDenial: () => void
  /** The params of a `session/update`, as a fact with its turn, or `null` where it is not ours. */
  readonly receive: (params: unknown) => UpdateFact | null
  /** The end of the running turn, which is over then; `null` where none runs. */
  readonly end: (reply: PromptReply) => TurnEnded | null
  /** The turn that asks, and what is known of the tool call by now. */
  readonly describe: (asked: PermissionRequest) => {
    readonly turn: number | null
    readonly kind: string
    readonly title: string
  }
  /** Tool calls of this turn that were left running. */
  readonly leftRunning: (turn: number) => ReadonlyArray<string>
}

interface Running {
  readonly turn: number
  received: boolean
  cancelling: boolean
  denied: boolean
  /** codex said that its thread is in an error state. */
  inError: boolean
  /** The last text that no model message claims: codex-acp's own words, such as the reason of a failure. */
  adapterText: string
}

/** Tool calls that are remembered; the oldest are forgotten first, and their late updates go to the last turn. */
const maxToolCalls = 1_024

const adapterTextCharacters = 2_000

export const make = (identity: AgentIdentity): TurnTracker => {
  const tools = new Map<string, ToolCall>()
  let running: Running | null = null
  let last: number | null = null
  let before: number | null = null

  const note = (id: string, update: SessionUpdate): ToolCall => {
    const known = tools.get(id)
    const status = update["status"]
    const call: ToolCall = {
      turn: known === undefined ? last : known.turn,
      kind: nonEmptyTextIn(update["kind"]) ?? known?.kind ?? null,
      title: nonEmptyTextIn(update["title"]) ?? known?.title ?? null,
      open: typeof status === "string" ? status !== "completed" && status !== "failed" : (known?.open ?? true)
    }
    if (known === undefined && tools.size >= maxToolCalls) forgetOldest(tools)
    tools.set(id, call)
    return call
  }

  const receive: TurnTracker["receive"] = (params) => {
    const { sessionId, update } = objectIn(params)
    const kind = objectIn(update)["sessionUpdate"]
    if (tracker.replaying || sessionId !== tracker.thread || tracker.thread === null || typeof kind !== "string")
      return null
    const heard = objectIn(update) as SessionUpdate
    const id = nonEmptyTextIn(heard["toolCallId"])
    const turn = id !== null && isToolCall(kind) ? note(id, heard).turn : last
    if (running !== null && turn === running.turn) {
      if (kind !== "available_commands_update") running.received = true
      if (at(heard, "_meta", "codex", "threadStatus", "type") === "systemError") running.inError = true
      const adapterText = isAdapterText(heard) ? nonEmptyTextIn(at(heard, "content", "text"))?.trim() : undefined
      if (adapterText !== undefined && adapterText !== "")
        running.adapterText = adapterText.slice(0, adapterTextCharacters)
    }
    const message: UpdateMessage = {
      jsonrpc: "2.0",
      method: "session/update",
      params: { ...objectIn(params), sessionId: tracker.thread, update: heard }
    }
    return { _tag: "Update", turn, message }
  }

  const end: TurnTracker["end"] = (reply) => {
    if (running === null) return null
    const was = running
    running = null
    const failure = failureOf(tracker.identity, was, reply)
    const usage = reply.ok ? usageOf(at(reply.result, "usage")) : null
    if (failure !== null) return { _tag: "TurnEnded", turn: was.turn, stopReason: "error", usage, failure }
    return {
      _tag: "TurnEnded",
      turn: was.turn,
      stopReason: reply.ok ? stopReasonOf(was, reply.result) : "cancelled",
      usage,
      failure
    }
  }

  const describe: TurnTracker["describe"] = ({ kind, title, toolCallId }) => {
    const known = toolCallId === null ? undefined : tools.get(toolCallId)
    const kindOf = kind ?? known?.kind ?? "other"
    return { turn: known === undefined ? last : known.turn, kind: kindOf, title: title ?? known?.title ?? kindOf }
  }

  const tracker: TurnTracker = {
    thread: null,
    replaying: false,
    identity: identity,
    running: () => running?.turn ?? null,
    begin: (turn) => {
      before = last
      last = turn
      running = { turn, received: false, cancelling: false, denied: false, inError: false, adapterText: "" }
    },
    abandon: () => {
      running = null
      last = before
    },
    nothingReceived: () => running !== null && !running.received,
    noteCancel: () => {
      if (running !== null) running.cancelling = true
    },
    cancelling: () => running?.cancelling ?? false,
    noteDenial: () => {
      if (running !== null) running.denied = true
    },
    receive: receive,
    end,
    describe: describe,
    leftRunning: (turn) => [...tools].flatMap(([id, call]) => (call.turn === turn && call.open ? [id] : []))
  }
  return tracker
}

/** codex-acp gives every message of the model an id; a text without one is its own, such as a warning or an error. */
export const isAdapterText = (update: SessionUpdate): boolean =>
  update.sessionUpdate === "agent_message_chunk" && update["messageId"] === undefined

const isToolCall = (kind: string) => kind === "tool_call" || kind === "tool_call_update"

const forgetOldest = (tools: Map<string, ToolCall>) => {
  const [oldest] = tools.keys()
  if (oldest !== undefined) tools.delete(oldest)
}

const failureOf = (identity: AgentIdentity, was: Running, reply: PromptReply): Failure | null => {
  // What breaks while it stops was asked to break.
  if (!reply.ok)
    return was.cancelling && !isDeath(reply.error) ? null : Failures.ofError(identity, "session/prompt", reply.error)
  const typed = Failures.ofResult(identity, reply.result)
  if (typed !== null) return typed
  const { stopReason, usage } = objectIn(reply.result)
  if (typeof stopReason !== "string") return Failures.malformed(identity, "the result of a prompt has no stopReason.")
  if (was.inError && usage === null && stopReason === "end_turn") return Failures.ofText(identity, was.adapterText)
  return null
}

/** codex-acp's 1001, and the session that its process took with it. */
const isDeath = (error: RpcError) =>
  error.code === 1001 || error.code === Failures.notFound || /exited unexpectedly/.test(error.message)

/** `Schema` is asked once for its literals: this runs for every turn. */
const stopReasons: ReadonlySet<string> = new Set(StopReason.literals.filter((reason) => reason !== "error"))

/** A reason that ACP does not know ends the turn like any other: that it ended is certain. */
const stopReasonOf = (was: Running, result: unknown): StopReason => {
  const said = nonEmptyTextIn(objectIn(result)["stopReason"]) ?? ""
  // codex ends the turn as cancelled when it is told no; nobody cancelled it (Claude says `end_turn` then).
  if (said === "cancelled" && was.denied && !was.cancelling) return "end_turn"
  return stopReasons.has(said) ? (said as StopReason) : "end_turn"
}

/**
 * Agents count cached tokens beside the input (`inputTokens` leaves them out, `totalTokens` has them); Troupe counts as
 * OpenAI does, input with what was cached in it. `thoughtTokens` are part of the output in both.
 */
export const usageOf = (usage: unknown): Usage | null => {
  if (typeof usage !== "object" || usage === null) return null
  const of = objectIn(usage)
  const cachedInputTokens = countIn(of["cachedReadTokens"])
  const inputTokens = countIn(of["inputTokens"]) + cachedInputTokens + countIn(of["cachedWriteTokens"])
  const outputTokens = countIn(of["outputTokens"])
  return {
    inputTokens,
    cachedInputTokens,
    outputTokens,
    reasoningTokens: countIn(of["thoughtTokens"]),
    totalTokens: countIn(of["totalTokens"]) || inputTokens + outputTokens
  }
}
