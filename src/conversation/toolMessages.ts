/**
 * Projects a tool call to a function call with its result, or to a note where no function was called.
 *
 * Commands are `exec_command` and edits `apply_patch` for every agent, so that a host's tools can read its transcripts;
 * MCP tools are `mcp.<server>.<tool>`; every other tool keeps its own name. A call without a name is no tool of the
 * model, and gets none.
 */
import { clipped, boundedJson } from "../domain/boundedJson.ts"
import { at, listIn, nonEmptyTextIn, objectIn, textIn } from "../domain/json.ts"
import type { JsonObject } from "../domain/json.ts"
import { commandOf, exitOf, isCommand, outcome, outputOf } from "../domain/ToolCall.ts"
import type { ToolCall } from "../domain/ToolCall.ts"

/** `arguments` and `payload` are JSON with sorted keys; all three are bounded. */
export type Shape =
  | { readonly _tag: "Call"; readonly name: string; readonly arguments: string; readonly content: string }
  | { readonly _tag: "Note"; readonly kind: string; readonly payload: string }
  /** The agent made room in its context; there is no message. */
  | { readonly _tag: "Compaction" }

export const shapeOf = (tool: ToolCall): Shape => (tool.item === null ? ofAgent(tool) : ofCodex(tool, tool.item))

/** Which of them, without its texts: what a call is does not follow from what went in or came out. */
export const formOf = ({ item, kind, name, title }: ToolCall): Shape["_tag"] => {
  if (item !== null) return callItems.has(textIn(item["type"]) ?? "") ? "Call" : "Note"
  if (isCompaction({ kind, title })) return "Compaction"
  return name !== null || (kind !== null && actionKinds.has(kind)) ? "Call" : "Note"
}

const call = (name: string, args: unknown, content: string): Shape => ({
  _tag: "Call",
  name,
  arguments: boundedJson(args),
  content: clipped(content)
})

// ---- codex: by the type of its item

/** The items that are calls of a function. */
const callItems: ReadonlySet<string> = new Set(["commandExecution", "fileChange", "mcpToolCall", "dynamicToolCall"])

const ofCodex = (tool: ToolCall, item: JsonObject): Shape => {
  const { server, tool: toolName, type, ...rest } = item
  switch (type) {
    case "commandExecution":
      return command(tool)
    case "fileChange":
      return edit(tool)
    case "mcpToolCall":
      return call(`mcp.${textIn(server) ?? ""}.${textIn(toolName) ?? ""}`, argumentsOf(tool), mcpResult(tool))
    case "dynamicToolCall":
      return call(nonEmptyTextIn(toolName) ?? "tool", argumentsOf(tool), dynamicResult(tool))
    default: {
      // A web search, a viewed image, a sub-agent: actions of codex itself, not calls that a host could answer.
      const payload = tool.rawInput === undefined ? { title: tool.title, ...rest } : tool.rawInput
      return { _tag: "Note", kind: nonEmptyTextIn(type) ?? "item", payload: boundedJson(payload) }
    }
  }
}

const mcpResult = (tool: ToolCall): string => {
  const output = tool.rawOutput === undefined ? "" : boundedJson(tool.rawOutput)
  if (outcome(tool) === "completed") return output === "" ? "completed" : output
  return failed(tool, nonEmptyTextIn(at(tool.rawOutput, "message")) ?? output)
}

const dynamicResult = (tool: ToolCall): string => {
  const items = listIn(at(tool.rawOutput, "contentItems"))
  const texts = items.flatMap((item) => textIn(at(item, "text")) ?? [])
  const output = texts.length === items.length ? texts.join("\n") : boundedJson(items)
  if (outcome(tool) !== "completed") return failed(tool, output)
  return items.length > 0 ? output : `success: ${at(tool.rawOutput, "success") !== false}`
}

// ---- any other agent: by ACP's kind and the tool's name

/** Kinds that name what was done. The others (`think`, `other`, `switch_mode`) name no tool. */
const actionKinds: ReadonlySet<string> = new Set(["read", "edit", "delete", "move", "search", "execute", "fetch"])

/** claude-agent-acp and codex-acp both report a compaction as a call of this kind and title; nothing else marks it. */
const isCompaction = ({ kind, title }: Pick<ToolCall, "kind" | "title">): boolean =>
  kind === "think" && title === "Compact conversation"

const ofAgent = (tool: ToolCall): Shape => {
  if (isCompaction(tool)) return { _tag: "Compaction" }
  if (isCommand(tool)) return command(tool)
  if (tool.kind === "edit" && (tool.name === null || changesOf(tool).length > 0)) return edit(tool)
  if (tool.name !== null) return call(ownName(tool.name), argumentsOf(tool), result(tool))
  if (tool.kind !== null && actionKinds.has(tool.kind)) {
    const args = argumentsOf(tool)
    return call(tool.kind, Object.keys(args).length > 0 ? args : { title: tool.title ?? "" }, result(tool))
  }
  const output = outputOf(tool)
  const payload = { status: outcome(tool), title: tool.title ?? "", ...(output === "" ? {} : { output }) }
  return { _tag: "Note", kind: tool.kind ?? "other", payload: boundedJson(payload) }
}

/** Claude Code and similar agents name the tool of an MCP server `mcp__server__tool`. */
const ownName = (toolName: string): string => toolName.replace(/^mcp__(.+?)__(.+)$/, "mcp.$1.$2")

const result = (tool: ToolCall): string => {
  const output = outputOf(tool)
  if (outcome(tool) !== "completed") return failed(tool, output)
  return output === "" ? "completed" : output
}

// ---- both

const command = (tool: ToolCall): Shape => {
  const cwd = nonEmptyTextIn(at(tool.rawInput, "cwd")) ?? tool.cwd
  const args = { command: commandOf(tool) ?? tool.title ?? "", ...(cwd === null ? {} : { cwd }) }
  const { code, output } = exitOf(tool)
  if (code !== null && code !== 0) return call("exec_command", args, `[exit ${code}]\n${output}`)
  // Exit code 0 is success, also where the call is reported as failed.
  if (outcome(tool) === "completed" || (code === 0 && outcome(tool) === "failed")) {
    return call("exec_command", args, output)
  }
  return call("exec_command", args, lines(`[${outcome(tool)}]`, output))
}

const edit = (tool: ToolCall): Shape => {
  const changes = changesOf(tool)
  const reported = at(tool.rawOutput, "changes")
  const count = typeof reported === "number" ? reported : changes.length
  const summary = `${outcome(tool)}: ${count} ${count === 1 ? "change" : "changes"}`
  // The output of a failed edit is the reason; that of a successful one repeats the file.
  const reason = outcome(tool) === "failed" && tool.item === null ? outputOf(tool) : ""
  return call("apply_patch", { changes }, lines(summary, reason))
}

interface Change {
  readonly kind: string
  readonly path: string
}

/** The files that are changed, and how. Their content is left in the events. */
const changesOf = (tool: ToolCall): ReadonlyArray<Change> => {
  const ofInput = listIn(at(tool.rawInput, "changes")).flatMap((change) =>
    changed(at(change, "kind"), at(change, "path"))
  )
  const ofDiffs = tool.diffs.flatMap(({ _meta, oldText, path }) =>
    changed(at(_meta, "kind") ?? (typeof oldText === "string" ? "update" : "add"), path)
  )
  const { abs_path, file_path, notebook_path, path } = objectIn(tool.rawInput)
  const ofLocations = tool.locations.flatMap((location) => changed("update", at(location, "path")))
  const ofPath = [file_path, path, abs_path, notebook_path].flatMap((path) => changed("update", path)).slice(0, 1)
  const changes = [ofInput, ofDiffs, ofLocations, ofPath].find((candidates) => candidates.length > 0) ?? []
  // An agent may report two places of one file.
  return [...new Map(changes.map((change) => [`${change.kind} ${change.path}`, change])).values()]
}

const changed = (kind: unknown, path: unknown): ReadonlyArray<Change> => {
  const file = nonEmptyTextIn(path)
  return file === null ? [] : [{ kind: nonEmptyTextIn(kind) ?? "update", path: file }]
}

/** To OpenAI arguments are an object; any other value becomes its field `input`. */
const argumentsOf = ({ rawInput }: ToolCall): JsonObject => {
  if (rawInput === undefined || rawInput === null) return {}
  return typeof rawInput === "object" && !Array.isArray(rawInput) ? (rawInput as JsonObject) : { input: rawInput }
}

const failed = (tool: ToolCall, output: string): string => {
  const label = outcome(tool) === "failed" ? "error" : outcome(tool)
  return output === "" ? `[${label}]` : `[${label}] ${output}`
}

const lines = (...parts: ReadonlyArray<string>): string => parts.filter((part) => part !== "").join("\n")
