/**
 * Messages of the Agent Client Protocol, version 1: the one format of events inside Troupe.
 *
 * Only the fields that Troupe reads are typed. All other fields of an agent are stored unchanged, because an app may
 * know more of its agent than Troupe does. What ACP has no field for is in `_meta` under `troupe/…`, and Troupe's own
 * messages are extension notifications whose names begin with `_troupe/`.
 */

import { objectIn } from "./json.ts"

/** `params.update` of a `session/update`; `sessionUpdate` names its kind (`agent_message_chunk`, `tool_call`, …). */
export interface SessionUpdate {
  readonly sessionUpdate: string
  readonly [key: string]: unknown
}

export interface UpdateMessage {
  readonly jsonrpc: "2.0"
  readonly method: "session/update"
  readonly params: { readonly sessionId: string; readonly update: SessionUpdate; readonly _meta?: unknown }
}

/** A message of Troupe about a session in the same stream: `_troupe/turn`, `_troupe/state`, … (`events/troupeMessage.ts`). */
export interface TroupeMessage {
  readonly jsonrpc: "2.0"
  readonly method: `_troupe/${string}`
  readonly params: Readonly<Record<string, unknown>>
}

/** The end of a turn, in the form of a reply to `session/prompt`. `id` is the turn's index. */
export type ResultMessage =
  | {
      readonly jsonrpc: "2.0"
      readonly id: number
      readonly result: { readonly stopReason: string; readonly [key: string]: unknown }
    }
  | {
      readonly jsonrpc: "2.0"
      readonly id: number
      readonly error: { readonly code: number; readonly message: string; readonly data?: unknown }
    }

export type AcpMessage = UpdateMessage | TroupeMessage | ResultMessage

export const updateMessage = (sessionId: string, update: SessionUpdate): UpdateMessage => ({
  jsonrpc: "2.0",
  method: "session/update",
  params: { sessionId, update }
})

/** Words that a person added to a running turn, at the position where the agent took them. */
export const steeringMessage = (sessionId: string, text: string): UpdateMessage =>
  updateMessage(sessionId, {
    sessionUpdate: "user_message_chunk",
    content: { type: "text", text },
    _meta: { "troupe/steered": true }
  })

/** The kind of a sub-agent's update, as an extension: ACP 1 has no word for it. */
export const subagentKind = "_troupe/subagent_update"

/** An update of a sub-agent, which works in a session of its own, as an update of the session that started it. */
export const subagentMessage = (thread: string, subagent: string, update: SessionUpdate): UpdateMessage =>
  updateMessage(thread, { sessionUpdate: subagentKind, sessionId: subagent, update })

/** The messages that may be in a turn's `events`: the agent's own, and the end. Troupe's are in the session's stream only. */
export const isAgentMessage = (message: AcpMessage): message is UpdateMessage | ResultMessage =>
  !("method" in message) || message.method === "session/update"

/**
 * An update that came after its turn's end, marked as such (`params._meta`). It is stored after the end, and is no part of
 * the turn's `events`, so that those are the same for every reader at any time.
 */
export const lateMessage = (message: UpdateMessage): UpdateMessage => {
  const { params } = message
  return { ...message, params: { ...params, _meta: { ...objectIn(params._meta), "troupe/late": true } } }
}

/** The `_meta` of the end of a turn that never reached the agent. */
export const notHanded = { "troupe/handed": false } as const

/** The `_meta` of the end of a turn that was interrupted for a reason. */
export const interruptedFor = (reason: string) => ({ "troupe/reason": reason })

/** The `_meta` of an end that the agent never sent. */
export const acceptedWithoutEnd = { "troupe/accepted_without_end": true } as const
