/**
 * An event of a session's stream as apps read it, over HTTP and in the library: one type for both, told apart by `method`.
 *
 * A stored event belongs to a turn and has a time; both are added to its `_meta` when it goes out.
 */
import { Schema } from "effect"
import type { AcpMessage } from "../Acp.ts"
import { objectIn } from "../json.ts"
import type { StoredEvent } from "../Session.ts"
import { FailureClass, StopReason } from "../Turn.ts"
import { anyOther, loose } from "./loose.ts"
import { StreamedUpdate } from "./StreamedUpdate.ts"
import { troupeFields, turnPhases } from "./troupeMessage.ts"

/** Of a `session/update` and a message of Troupe it is in `params`, of a turn's end in `result` or in `error.data`. */
const Meta = loose(
  {
    "troupe/turn_index": Schema.NullOr(Schema.Int).annotate({ description: "null: it belongs to no turn." }),
    "troupe/at": Schema.Finite.annotate({
      description: "When it was stored, in Unix seconds with milliseconds as decimals."
    }),
    "troupe/late": Schema.optionalKey(Schema.Boolean.annotate({ description: "It came after the end of its turn." }))
  },
  { identifier: "EventMeta" }
)

const jsonrpc = Schema.Literal("2.0")

export const UpdateMessage = loose(
  {
    jsonrpc,
    method: Schema.Literal("session/update"),
    params: loose({ sessionId: Schema.String, update: StreamedUpdate, _meta: Meta })
  },
  { identifier: "UpdateMessage", description: "What the agent does." }
)

const troupeMessageOf = <const Name extends string, const Fields extends Schema.Struct.Fields>(
  name: Name,
  fields: Fields,
  annotations: { readonly identifier: string; readonly description: string }
) =>
  loose(
    { jsonrpc, method: Schema.Literal(`_troupe/${name}` as const), params: loose({ ...fields, _meta: Meta }) },
    annotations
  )

const {
  approval_asked,
  approval_settled,
  context_given,
  context_lost,
  context_restored,
  mcp_failed,
  state,
  turn_recovered,
  unreadable,
  workdir_lost
} = troupeFields

/** `_troupe/turn` once for each phase. */
export const troupeMessages = [
  troupeMessageOf("turn", turnPhases.submitted, {
    identifier: "TurnSubmitted",
    description: "A turn was accepted."
  }),
  troupeMessageOf("turn", turnPhases.started, {
    identifier: "TurnStarted",
    description: "The turn is the session's running one. It may still wait for a process of its agent."
  }),
  troupeMessageOf("turn", turnPhases.ended, {
    identifier: "TurnEnded",
    description: "The turn has its one outcome, in the words of its result. Comes right behind the turn's last message."
  }),
  troupeMessageOf("state", state, { identifier: "StateChanged", description: "The session is in another state." }),
  troupeMessageOf("context_lost", context_lost, {
    identifier: "ContextLost",
    description: "The agent has lost what was said before."
  }),
  troupeMessageOf("context_restored", context_restored, {
    identifier: "ContextRestored",
    description: "The session is on another node of the cluster, and the agent's conversation came along."
  }),
  troupeMessageOf("workdir_lost", workdir_lost, {
    identifier: "WorkdirLost",
    description: "The session's directory did not come along to the node that has it now. It begins with an empty one."
  }),
  troupeMessageOf("approval_asked", approval_asked, {
    identifier: "ApprovalAsked",
    description: "A request of the agent waits for a person."
  }),
  troupeMessageOf("approval_settled", approval_settled, {
    identifier: "ApprovalSettled",
    description: "The request was answered, expired, or was withdrawn."
  }),
  troupeMessageOf("mcp_failed", mcp_failed, {
    identifier: "McpFailed",
    description: "An MCP server of the session did not start. The session goes on without its tools."
  }),
  troupeMessageOf("context_given", context_given, {
    identifier: "ContextGiven",
    description: "The agent gets the app's earlier conversation in front of this turn's prompt."
  }),
  troupeMessageOf("turn_recovered", turn_recovered, {
    identifier: "TurnRecovered",
    description:
      "What the agent had finished of a turn whose end was not received, in the words of `recovered` of the turn's result."
  }),
  troupeMessageOf("unreadable", unreadable, {
    identifier: "UnreadableEvent",
    description: "Stands for a stored event that can't be read any more."
  })
] as const

const Tokens = Schema.Struct({
  inputTokens: Schema.Int,
  cachedInputTokens: Schema.Int,
  outputTokens: Schema.Int,
  reasoningTokens: Schema.Int,
  totalTokens: Schema.Int
})

/** A reply has no `method`; that its type says so lets a `switch` over `method` tell it apart. */
const reply = <const Fields extends Schema.Struct.Fields>(fields: Fields, annotations: Parameters<typeof loose>[1]) =>
  loose(fields, annotations) as Schema.Codec<
    Schema.Struct.Type<Fields> & { readonly method?: undefined },
    Schema.Struct.Encoded<Fields>
  >

const id = Schema.Int.annotate({ description: "The turn's index." })

export const resultMessages = [
  reply(
    { jsonrpc, id, result: loose({ stopReason: StopReason, usage: Tokens, _meta: Meta }) },
    { identifier: "TurnResultMessage", description: "The end of a turn, as a reply to `session/prompt`." }
  ),
  reply(
    {
      jsonrpc,
      id,
      error: loose({
        code: Schema.Int,
        message: Schema.String,
        data: loose({ class: Schema.optionalKey(FailureClass), _meta: Meta })
      })
    },
    { identifier: "TurnErrorMessage", description: "The end of a turn that failed." }
  )
] as const

/**
 * Decoding never fails: what has none of these forms passes as it came, such as a message that a newer Troupe has. So a
 * `switch` over `method` takes a `default`, although the type has nothing left for it.
 */
export const StreamedMessage = Schema.Union([
  UpdateMessage,
  ...troupeMessages,
  ...resultMessages,
  anyOther({ jsonrpc }, { identifier: "OtherMessage", description: "A message that this document does not know." })
]).annotate({ identifier: "EventMessage", description: "An event of a session." })
export type StreamedMessage = typeof StreamedMessage.Type

/** What a turn's own stream has: its agent's updates, and last its end. */
export type TurnMessage = Exclude<StreamedMessage, { readonly method: `_troupe/${string}` }>

/** A stored event as it goes out. */
export interface StreamedEvent extends Omit<StoredEvent, "json" | "message"> {
  readonly message: StreamedMessage
}

/** Adds the event's turn and time. Not decoded: it was stored by Troupe, and an agent's part passes as it came. */
export const streamed = ({ at, message, seq, session, turn }: StoredEvent): StreamedEvent => ({
  session,
  seq,
  turn,
  at,
  message: withMeta(message, metaOf(turn, at)) as unknown as StreamedMessage
})

const metaOf = (turn: number | null, at: number) => ({ "troupe/turn_index": turn, "troupe/at": at / 1000 })

/** The message of `streamed`, as JSON. Most have what is added put into the JSON that they have. */
export const streamedJson = ({ at, json, message, turn }: StoredEvent): string => {
  const meta = metaOf(turn, at)
  return json !== undefined && endsWithBareParams(message)
    ? `${json.slice(0, -2)},"_meta":${JSON.stringify(meta)}}}`
    : JSON.stringify(withMeta(message, meta))
}

/** Its `params`, which are not empty, come last, and have no `_meta`. */
const endsWithBareParams = (message: AcpMessage): boolean => {
  if (!("method" in message) || message.method !== "session/update" || message.params._meta !== undefined) return false
  let last = ""
  for (const key in message) last = key
  return last === "params"
}

const withMeta = (message: AcpMessage, added: Readonly<Record<string, unknown>>): AcpMessage => {
  const within = <Part extends object>(part: Part): Part => ({
    ...part,
    _meta: { ...objectIn((part as { readonly _meta?: unknown })._meta), ...added }
  })
  if ("method" in message) return { ...message, params: within(message.params) } as AcpMessage
  if ("result" in message) return { ...message, result: within(message.result) }
  return { ...message, error: { ...message.error, data: within(objectIn(message.error.data)) } }
}

/** What `streamed` has added to a message: its turn, and when it was stored in milliseconds since 1970. */
export const placeOf = (message: StreamedMessage): Pick<StoredEvent, "at" | "turn"> => {
  const { error, params, result } = message as {
    readonly [key in "error" | "params" | "result"]?: { readonly _meta?: unknown; readonly data?: unknown }
  }
  const meta = objectIn(objectIn(params ?? result ?? error?.data)["_meta"])
  const [turn, at] = [meta["troupe/turn_index"], meta["troupe/at"]]
  return {
    turn: typeof turn === "number" ? turn : null,
    at: typeof at === "number" ? Math.round(at * 1000) : 0
  }
}
