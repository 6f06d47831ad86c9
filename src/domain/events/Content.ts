/** What messages and tool calls of ACP 1 contain, as an agent sends it. */
import { Schema } from "effect"
import { AgentMeta, anyOther, loose, maybe } from "./loose.ts"

const shared = { annotations: maybe(AgentMeta), _meta: maybe(AgentMeta) }

export const AgentContent = Schema.Union([
  loose({ type: Schema.Literal("text"), text: Schema.String, ...shared }),
  loose({
    type: Schema.Literal("image"),
    data: Schema.String,
    mimeType: Schema.String,
    uri: maybe(Schema.String),
    ...shared
  }),
  loose({ type: Schema.Literal("audio"), data: Schema.String, mimeType: Schema.String, ...shared }),
  loose({
    type: Schema.Literal("resource_link"),
    uri: Schema.String,
    name: Schema.String,
    title: maybe(Schema.String),
    description: maybe(Schema.String),
    mimeType: maybe(Schema.String),
    size: maybe(Schema.Finite),
    ...shared
  }),
  loose({
    type: Schema.Literal("resource"),
    resource: loose({
      uri: Schema.String,
      mimeType: maybe(Schema.String),
      text: Schema.optionalKey(Schema.String),
      blob: Schema.optionalKey(Schema.String)
    }),
    ...shared
  }),
  anyOther({ type: Schema.String }, { identifier: "OtherContent", description: "Content that ACP 1 has no form for." })
]).annotate({ identifier: "AgentContent" })
export type AgentContent = typeof AgentContent.Type

export const ToolCallContent = Schema.Union([
  loose({ type: Schema.Literal("content"), content: AgentContent, _meta: maybe(AgentMeta) }),
  loose({
    type: Schema.Literal("diff"),
    path: Schema.String,
    oldText: maybe(Schema.String),
    newText: Schema.String,
    _meta: maybe(AgentMeta)
  }),
  loose({ type: Schema.Literal("terminal"), terminalId: Schema.String, _meta: maybe(AgentMeta) }),
  anyOther(
    { type: Schema.String },
    { identifier: "OtherToolCallContent", description: "Content of a tool call that ACP 1 has no form for." }
  )
]).annotate({ identifier: "ToolCallContent" })
export type ToolCallContent = typeof ToolCallContent.Type
