/**
 * What a session's stored event is to a client of the protocol. Troupe's events are the protocol's own messages, so most pass as
 * they are, under the session's id; Troupe's own messages become what the protocol has for them.
 */
import { basename } from "node:path"
import type { ContentBlock, SessionUpdate } from "@agentclientprotocol/sdk"
import type { StreamedEvent } from "../../domain/events/StreamedMessage.ts"
import { updateKinds } from "../../domain/events/StreamedUpdate.ts"
import type { SubmittedBlock } from "../../domain/PromptContent.ts"

/** How a turn ended, as its last event says. */
export interface Ended {
  readonly turn: number
  readonly stopReason: string
  readonly error: string | null
  readonly errorClass: string | null
  readonly usage: {
    readonly inputTokens: number
    readonly outputTokens: number
    readonly totalTokens: number
    readonly cachedReadTokens: number
    readonly thoughtTokens: number
  }
}

export type Told =
  | { readonly _tag: "Update"; readonly update: SessionUpdate }
  /** The agent changed its mode or one of its options, in words of its own. */
  | { readonly _tag: "Changed" }
  | { readonly _tag: "Submitted"; readonly turn: number; readonly content: ReadonlyArray<ContentBlock> }
  | { readonly _tag: "Ended"; readonly ended: Ended }
  | { readonly _tag: "Asked"; readonly approval: string }
  | { readonly _tag: "Settled"; readonly approval: string }
  | { readonly _tag: "Noted"; readonly text: string }
  /** Nothing of it is the protocol's. */
  | null

/** What the client has said that it can show. */
export interface Shows {
  readonly notices: boolean
  readonly compaction: boolean
}

const optional: Readonly<Record<string, keyof Shows>> = {
  notice: "notices",
  compaction_update: "compaction",
  compaction_summary_chunk: "compaction"
}

export const toldOf = ({ message }: StreamedEvent, shows: Shows): Told => {
  switch (message.method) {
    case undefined:
      return null
    case "session/update": {
      const { update } = message.params as { readonly update: { readonly sessionUpdate: string } }
      const { sessionUpdate: kind } = update
      if (kind === "current_mode_update" || kind === "config_option_update") return { _tag: "Changed" }
      if (!Object.hasOwn(updateKinds, kind)) return null
      const needs = optional[kind]
      return needs === undefined || shows[needs] ? { _tag: "Update", update: update as SessionUpdate } : null
    }
    case "_troupe/turn":
      return turnOf(message.params as TurnParams)
    case "_troupe/approval_asked":
      return { _tag: "Asked", approval: message.params.approval_id }
    case "_troupe/approval_settled":
      return { _tag: "Settled", approval: message.params.approval_id }
    case "_troupe/context_lost":
      return note(
        `The agent no longer knows what was said before turn ${message.params.before_turn}: ${message.params.reason}`
      )
    case "_troupe/workdir_lost":
      return note(`The session's directory did not come along: ${message.params.directory} is empty now.`)
    case "_troupe/mcp_failed":
      return note(`The MCP server ${message.params.server} did not start: ${message.params.message}`)
    default:
      return null
  }
}

const note = (text: string): Told => ({ _tag: "Noted", text })

interface TurnParams {
  readonly phase: "submitted" | "started" | "ended"
  readonly kind: "prompt" | "compact"
  readonly turn_index: number
  readonly prompt?: string
  readonly content?: ReadonlyArray<SubmittedBlock> | null
  readonly stop_reason?: string
  readonly error?: string | null
  readonly error_class?: string | null
  readonly usage?: {
    readonly input_tokens: number
    readonly cached_input_tokens: number
    readonly output_tokens: number
    readonly reasoning_tokens: number
    readonly total_tokens: number
  }
}

const turnOf = (params: TurnParams): Told => {
  const { content, kind, phase, prompt = "", turn_index: turn } = params
  if (phase === "submitted") {
    const blocks = kind === "compact" ? [] : (content?.map(shownBlock) ?? [{ type: "text" as const, text: prompt }])
    return { _tag: "Submitted", turn, content: blocks }
  }
  if (phase !== "ended") return null
  const { error = null, error_class: errorClass = null, stop_reason: stopReason = "end_turn", usage } = params
  return {
    _tag: "Ended",
    ended: {
      turn,
      stopReason,
      error,
      errorClass,
      usage: {
        inputTokens: usage?.input_tokens ?? 0,
        outputTokens: usage?.output_tokens ?? 0,
        totalTokens: usage?.total_tokens ?? 0,
        cachedReadTokens: usage?.cached_input_tokens ?? 0,
        thoughtTokens: usage?.reasoning_tokens ?? 0
      }
    }
  }
}

/** An image is a file by now, on the machine of the session. */
const shownBlock = (block: SubmittedBlock): ContentBlock =>
  block.type === "image"
    ? { type: "resource_link", uri: block.uri, name: basename(block.uri), mimeType: block.mimeType }
    : block
