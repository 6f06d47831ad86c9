/**
 * An agent's own tool calls as items. None is a `function_call`: that is one that the client has to answer. A command is a
 * `command_execution`, a look into the web a `web_search_call`, and any other an `mcp_call`, with the agent's name as the
 * server's label where the tool is its own.
 */
import { shapeOf } from "../../conversation/toolMessages.ts"
import { nonEmptyTextIn, objectIn, textIn } from "../../domain/json.ts"
import * as ToolCall from "../../domain/ToolCall.ts"
import type {
  AgentCommandExecutionItem,
  AgentFunctionCallStatus,
  AgentMcpCallItem,
  AgentWebSearchCallItem
} from "./sdk.ts"

export type ToolItem = AgentCommandExecutionItem | AgentMcpCallItem | AgentWebSearchCallItem

/** Decided when the call begins, and kept: an item does not change its type. */
export type ToolKind = "cmd" | "mcp" | "ws"

/** `null`: it is no call, but the agent makes room in its context. */
export const kindOf = (tool: ToolCall.ToolCall): ToolKind | null => {
  const { item, kind } = tool
  if (ToolCall.isCommand(tool) || (item === null && kind === "execute")) return "cmd"
  if (item === null ? kind === "fetch" : item["type"] === "webSearch") return "ws"
  return shapeOf(tool)._tag === "Compaction" ? null : "mcp"
}

export interface ToolPlace {
  readonly id: string
  readonly turn_id: string
  readonly agent: string
  /** Milliseconds from its beginning to its end; `null`: it has not ended. */
  readonly duration: number | null
  /** Its turn is over. */
  readonly isOver: boolean
}

export const toolItemOf = (tool: ToolCall.ToolCall, kind: ToolKind, place: ToolPlace): ToolItem => {
  const { agent, duration, id, isOver, turn_id } = place
  const status = statusOf(tool, isOver)
  const isDone = status !== "in_progress"
  switch (kind) {
    case "cmd": {
      const { code, output } = isDone ? ToolCall.exitOf(tool) : { code: null, output: null }
      return {
        type: "command_execution",
        id,
        turn_id,
        command: ToolCall.commandOf(tool) ?? tool.title ?? "",
        cwd: nonEmptyTextIn(objectIn(tool.rawInput)["cwd"]) ?? tool.cwd,
        duration_ms: duration,
        exit_code: code,
        output,
        status
      }
    }
    case "ws":
      return {
        type: "web_search_call",
        id,
        turn_id,
        action: webActionOf(tool),
        status: status === "failed" ? "incomplete" : status
      }
    case "mcp": {
      const { args, name, output, server } = callOf(tool, agent)
      return {
        type: "mcp_call",
        id,
        turn_id,
        server_label: server,
        name,
        arguments: args,
        output: status === "completed" ? output : null,
        error: status === "failed" ? output : null,
        status
      }
    }
  }
}

const statusOf = (tool: ToolCall.ToolCall, isOver: boolean): AgentFunctionCallStatus => {
  if (!ToolCall.ended(tool)) return isOver ? "incomplete" : "in_progress"
  return ToolCall.outcome(tool) === "completed" ? "completed" : "failed"
}

const callOf = (tool: ToolCall.ToolCall, agent: string) => {
  const shape = shapeOf(tool)
  if (shape._tag !== "Call") {
    const payload = shape._tag === "Note" ? jsonOf(shape.payload) : {}
    return { server: agent, name: shape._tag === "Note" ? shape.kind : "compact", args: payload, output: "" }
  }
  const [, server = agent, name = shape.name] = /^mcp\.([^.]+)\.(.+)$/.exec(shape.name) ?? []
  return { server, name, args: jsonOf(shape.arguments), output: shape.content }
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const webActionOf = ({ rawInput, title }: ToolCall.ToolCall): AgentWebSearchCallItem["action"] => {
  const { queries, query, url } = objectIn(rawInput)
  if (typeof url === "string") return { type: "open_page", url }
  if (typeof query === "string" || Array.isArray(queries)) {
    return {
      type: "search",
      query: textIn(query),
      queries: Array.isArray(queries) ? queries.filter((each) => typeof each === "string") : null
    }
  }
  return title === null ? null : { type: "other" }
}
