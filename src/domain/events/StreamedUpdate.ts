/**
 * `params.update` of a `session/update` as apps read it: ACP 1's own kinds, told apart by `sessionUpdate`.
 *
 * The fields are those of ACP's schema. An agent's other fields are kept. An update of a kind that is not here, or whose
 * fields are not those of its kind, passes as it came (`OtherUpdate`): a stream never fails because of what an agent sends.
 */
import { Schema } from "effect"
import { subagentKind } from "../Acp.ts"
import { AgentContent, ToolCallContent } from "./Content.ts"
import { AgentMeta, anyOther, loose, maybe, word } from "./loose.ts"

const _meta = maybe(AgentMeta)

const chunk = <const Kind extends string>(kind: Kind, identifier: string) =>
  loose(
    { sessionUpdate: Schema.Literal(kind), content: AgentContent, messageId: maybe(Schema.String), _meta },
    { identifier }
  )

const toolFields = {
  toolCallId: Schema.String,
  name: maybe(Schema.String),
  kind: maybe(word(["read", "edit", "delete", "move", "search", "execute", "think", "fetch", "switch_mode", "other"])),
  status: maybe(word(["pending", "in_progress", "completed", "failed"])),
  content: maybe(Schema.Array(ToolCallContent)),
  locations: maybe(Schema.Array(loose({ path: Schema.String, line: maybe(Schema.Finite), _meta }))),
  rawInput: Schema.optionalKey(Schema.Unknown),
  rawOutput: Schema.optionalKey(Schema.Unknown),
  _meta
}

/** Each kind of ACP 1 with its fields. */
export const updateKinds = {
  user_message_chunk: chunk("user_message_chunk", "UserMessageChunk"),
  agent_message_chunk: chunk("agent_message_chunk", "AgentMessageChunk"),
  agent_thought_chunk: chunk("agent_thought_chunk", "AgentThoughtChunk"),
  tool_call: loose(
    { sessionUpdate: Schema.Literal("tool_call"), ...toolFields, title: Schema.String },
    { identifier: "ToolCall" }
  ),
  tool_call_update: loose(
    {
      sessionUpdate: Schema.Literal("tool_call_update"),
      ...toolFields,
      title: maybe(Schema.String)
    },
    { identifier: "ToolCallUpdate" }
  ),
  plan: loose(
    {
      sessionUpdate: Schema.Literal("plan"),
      entries: Schema.Array(
        loose({
          content: Schema.String,
          priority: word(["high", "medium", "low"]),
          status: word(["pending", "in_progress", "completed"]),
          _meta
        })
      ),
      _meta
    },
    { identifier: "Plan" }
  ),
  available_commands_update: loose(
    {
      sessionUpdate: Schema.Literal("available_commands_update"),
      availableCommands: Schema.Array(
        loose({ name: Schema.String, description: Schema.String, input: maybe(AgentMeta), _meta })
      ),
      _meta
    },
    { identifier: "AvailableCommandsUpdate" }
  ),
  current_mode_update: loose(
    {
      sessionUpdate: Schema.Literal("current_mode_update"),
      currentModeId: Schema.String,
      _meta
    },
    { identifier: "CurrentModeUpdate" }
  ),
  config_option_update: loose(
    {
      sessionUpdate: Schema.Literal("config_option_update"),
      configOptions: Schema.Array(
        loose({
          id: Schema.String,
          name: Schema.String,
          type: word(["select", "boolean"]),
          description: maybe(Schema.String),
          category: maybe(Schema.String),
          currentValue: Schema.Unknown,
          options: Schema.optionalKey(Schema.Array(Schema.Unknown)),
          _meta
        })
      ),
      _meta
    },
    { identifier: "ConfigOptionUpdate" }
  ),
  session_info_update: loose(
    {
      sessionUpdate: Schema.Literal("session_info_update"),
      title: maybe(Schema.String),
      updatedAt: maybe(Schema.String),
      _meta
    },
    { identifier: "SessionInfoUpdate" }
  ),
  usage_update: loose(
    {
      sessionUpdate: Schema.Literal("usage_update"),
      used: Schema.Finite.annotate({ description: "Tokens in the agent's context now." }),
      size: Schema.Finite.annotate({ description: "Tokens that fit into it." }),
      cost: maybe(loose({ amount: Schema.Finite, currency: Schema.String, _meta })),
      _meta
    },
    { identifier: "UsageUpdate" }
  ),
  notice: loose(
    {
      sessionUpdate: Schema.Literal("notice"),
      severity: word(["info", "warning", "error"]),
      title: Schema.String,
      description: maybe(Schema.String),
      _meta
    },
    { identifier: "Notice" }
  ),
  compaction_update: loose(
    {
      sessionUpdate: Schema.Literal("compaction_update"),
      compactionId: Schema.String,
      status: word(["in_progress", "completed", "failed", "cancelled"]),
      summary: maybe(Schema.Array(AgentContent)),
      error: maybe(Schema.String),
      _meta
    },
    { identifier: "CompactionUpdate" }
  ),
  compaction_summary_chunk: loose(
    {
      sessionUpdate: Schema.Literal("compaction_summary_chunk"),
      compactionId: Schema.String,
      content: AgentContent,
      _meta
    },
    { identifier: "CompactionSummaryChunk" }
  )
}

const OtherUpdate = anyOther(
  { sessionUpdate: Schema.String },
  {
    identifier: "OtherUpdate",
    description: "An update of a kind that ACP 1 has not, or with fields that its kind has not: as the agent sent it."
  }
)

/** A sub-agent's own update; a sub-agent's sub-agent reports in the session too. */
const AgentUpdate = Schema.Union([...Object.values(updateKinds), OtherUpdate]).annotate({
  identifier: "SessionUpdate",
  description: "An update of the Agent Client Protocol, version 1; `sessionUpdate` is its kind."
})

/** An update of a sub-agent, in a session of its own whose id is `sessionId`. */
export const SubagentUpdate = loose(
  { sessionUpdate: Schema.Literal(subagentKind), sessionId: Schema.String, update: AgentUpdate, _meta },
  { identifier: "SubagentUpdate", description: "What a sub-agent does, which works in a session of its own." }
)

export const StreamedUpdate = Schema.Union([SubagentUpdate, AgentUpdate])
export type StreamedUpdate = typeof StreamedUpdate.Type
