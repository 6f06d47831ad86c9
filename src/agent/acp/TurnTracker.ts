/**
 * Tracks the turns of an ACP session: which turn an update belongs to, and how a turn ended. Pure, so that recorded
 * traces can be replayed through it.
 *
 * It is built on what real agents do: updates come before, between and after prompts; a tool call can end long after its
 * turn; sub-agents have sessions of their own on the same connection, and work for the turn that runs; `end_turn` also comes after failures, and `cancelled` after a
 * denied permission.
 */
import { subagentMessage } from "../../domain/Acp.ts"
import type { SessionUpdate, UpdateMessage } from "../../domain/Acp.ts"
import { at, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { RequestedAction } from "../../domain/RequestedAction.ts"
import type { AgentFact } from "../Agent.ts"
import { actionOf } from "./callFacts.ts"
import type { AgentIdentity } from "./failures.ts"
import type { PermissionRequest } from "./permission.ts"
import { usageIn } from "./promptResult.ts"
import * as Refusals from "../Refusals.ts"
import { failureOf, stopReasonOf } from "./RunningTurn.ts"
import type { PromptReply, RunningTurn } from "./RunningTurn.ts"
import { line } from "./sentence.ts"
import { RememberedCalls } from "./RememberedCalls.ts"
import { cut } from "../../domain/cut.ts"

export type { PromptReply } from "./RunningTurn.ts"
export type TurnEnded = Extract<AgentFact, { readonly _tag: "TurnEnded" }>
export type UpdateFact = Extract<AgentFact, { readonly _tag: "Update" }>

interface Described {
  readonly turn: number | null
  readonly kind: string
  readonly title: string
  readonly action: RequestedAction
}

/** Updates that also come without a turn, so that none has begun with them. */
const aboutSession: ReadonlySet<string> = new Set([
  "available_commands_update",
  "config_option_update",
  "current_mode_update"
])

const adapterTextCharacters = 2_000
const subagentCharacters = 40
/** A person must see the whole of a usual command before saying yes. */
const titleCharacters = 2_000

export class TurnTracker {
  /** The agent's session id. Updates before it is known are ignored. */
  thread: string | null = null
  /** `session/load` is playing back earlier updates, which are ignored. */
  replaying = false
  /** The name that the agent gave itself, for sentences. */
  identity: AgentIdentity
  readonly #calls = new RememberedCalls()
  /** Each sub-agent numbers its calls by itself. `null`: none has called any. */
  #subagentCalls: RememberedCalls | null = null
  readonly #refusals = Refusals.make()
  #running: RunningTurn | null = null
  #last: number | null = null
  #before: number | null = null
  #texts = 0

  constructor(identity: AgentIdentity) {
    this.identity = identity
  }

  running(): number | null {
    return this.#running?.turn ?? null
  }

  begin(turn: number): void {
    this.#before = this.#last
    this.#last = turn
    this.#running = { turn, received: false, cancelling: false, denied: false, inError: false, adapterText: "" }
  }

  /** The prompt was not accepted: there is no such turn. */
  abandon(): void {
    this.#running = null
    this.#last = this.#before
  }

  /** No update or request of the running turn has come yet. */
  nothingReceived(): boolean {
    return this.#running !== null && !this.#running.received
  }

  /** How many pieces of text of this session have come. */
  textsReceived(): number {
    return this.#texts
  }

  /** The agent was asked to stop the running turn. */
  noteCancel(): void {
    if (this.#running !== null) this.#running.cancelling = true
  }

  cancelling(): boolean {
    return this.#running?.cancelling ?? false
  }

  /** A request of the running turn was denied. */
  noteDenial(): void {
    if (this.#running !== null) this.#running.denied = true
  }

  /** The parameters of a `session/update` as a fact with its turn; `null`: it is of no session that is known. */
  receive(params: unknown): UpdateFact | null {
    const { sessionId, update: content } = objectIn(params)
    const kind = objectIn(content)["sessionUpdate"]
    const { thread } = this
    const last = this.#last
    const running = this.#running
    const subagent = this.#subagentOf(sessionId)
    if (this.replaying || thread === null || subagent === undefined || typeof kind !== "string") return null
    const reported = objectIn(content) as SessionUpdate
    const id = isToolCall(kind) ? nonEmptyTextIn(reported["toolCallId"]) : null
    if (subagent !== null) {
      if (running !== null) running.received = true
      const { update } =
        id === null ? { update: reported } : this.#callsOfSubagents().update(`${subagent} ${id}`, reported, last)
      return { _tag: "Update", turn: last, message: subagentMessage(thread, subagent, update) }
    }
    if (kind === "agent_message_chunk") this.#texts++
    const { turn, update } = id === null ? { turn: last, update: reported } : this.#calls.update(id, reported, last)
    if (running !== null && turn === running.turn) {
      if (!aboutSession.has(kind)) running.received = true
      if (at(update, "_meta", "codex", "threadStatus", "type") === "systemError") running.inError = true
      const adapterText = isAdapterText(update) ? nonEmptyTextIn(at(update, "content", "text"))?.trim() : undefined
      if (adapterText !== undefined && adapterText !== "") {
        running.adapterText = cut(adapterText, adapterTextCharacters)
      }
    }
    const message: UpdateMessage = {
      jsonrpc: "2.0",
      method: "session/update",
      params: { ...objectIn(params), sessionId: thread, update }
    }
    return { _tag: "Update", turn, message }
  }

  /** Ends the running turn; `null`: none runs. */
  end(reply: PromptReply): TurnEnded | null {
    if (this.#running === null) return null
    const ended = this.#running
    this.#running = null
    const reported = failureOf(this.identity, ended, reply)
    const failure = reported === null ? null : this.#refusals.judge(this.identity.name, reported)
    if (failure === null && !ended.cancelling) this.#refusals.reset()
    const usage = reply.ok ? usageIn(at(reply.result, "usage")) : null
    if (failure !== null) return { _tag: "TurnEnded", turn: ended.turn, stopReason: "error", usage, failure }
    return {
      _tag: "TurnEnded",
      turn: ended.turn,
      stopReason: reply.ok ? stopReasonOf(ended, reply.result) : "cancelled",
      usage,
      failure
    }
  }

  /**
   * The turn of a permission request (the one that runs), and what was reported of its tool call. The title is the command
   * as it would run, where there is one; a sub-agent's has a mark at its end. `null`: as for `receive`.
   */
  describe(request: PermissionRequest): Described | null {
    const { sessionId, toolCallId } = request
    const last = this.#last
    // A request that names no session can only be of ours.
    const subagent = sessionId === null ? null : this.#subagentOf(sessionId)
    if (this.thread === null || subagent === undefined) return null
    const facts =
      toolCallId === null
        ? request.facts
        : subagent === null
          ? this.#calls.request(toolCallId, request, last)
          : this.#callsOfSubagents().request(`${subagent} ${toolCallId}`, request, last)
    if (this.#running !== null) this.#running.received = true
    const action = actionOf(facts)
    const kind = action._tag === "Command" ? "execute" : (facts.kind ?? "other")
    const title = line(titleOf(action, facts.title) || kind, titleCharacters)
    const mark = subagent === null ? "" : ` (sub-agent ${line(subagent, subagentCharacters)})`
    return { turn: last, kind, title: `${title}${mark}`, action }
  }

  /** Ids of the tool calls of this turn that have not ended. */
  leftRunning(turn: number): ReadonlyArray<string> {
    return this.#calls.leftRunning(turn)
  }

  /** `null`: our own session; `undefined`: one that can be nobody's, because nothing was prompted yet. */
  #subagentOf(sessionId: unknown): string | null | undefined {
    if (sessionId === this.thread) return null
    return this.#last === null ? undefined : (nonEmptyTextIn(sessionId) ?? undefined)
  }

  #callsOfSubagents(): RememberedCalls {
    return (this.#subagentCalls ??= new RememberedCalls())
  }
}

export const make = (identity: AgentIdentity): TurnTracker => new TurnTracker(identity)

/** codex-acp's title of a change names no file. */
const titleOf = (action: RequestedAction, title: string | null): string | null => {
  if (action._tag === "Command") return action.text
  const isNameless = action._tag === "Edit" && /^edit(ing)? files$/i.test(title ?? "") && action.paths.length > 0
  return isNameless ? `${title}: ${action.paths.join(", ")}` : title
}

/** codex-acp gives every message of the model an id; a text without one is the adapter's own: a warning or an error. */
export const isAdapterText = (update: SessionUpdate): boolean =>
  update.sessionUpdate === "agent_message_chunk" && update["messageId"] === undefined

const isToolCall = (kind: string) => kind === "tool_call" || kind === "tool_call_update"
