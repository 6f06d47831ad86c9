/**
 * What a conversation makes of a tool call: a function call with its result, or a note where nothing was called.
 *
 * Commands are `exec_command` and edits `apply_patch` whatever the agent, so that a host's tools for reading its
 * transcripts know them; MCP tools are `mcp.<server>.<tool>`; every other tool keeps its own name. What has no name is
 * no tool of the model's, and is never given one.
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
  /** The agent made room in its context: nothing was said or done. */
  | { readonly _tag: "Compaction" }

export const shapeOf = (tool: ToolCall): Shape => (tool.item === null ? ofAgent(tool) : ofCodex(tool, tool.item))

const call = (name: string, args: unknown, content: string): Shape => ({
  _tag: "Call",
  name,
  arguments: boundedJson(args),
  content: clipped(content)
})

// ---- codex, by the type of its item

const ofCodex = (tool: ToolCall, item: JsonObject): Shape => {
  const { server, tool: named, type, ...rest } = item
  switch (type) {
    case "commandExecution":
      return command(tool)
    case "fileChange":
      return edit(tool)
    case "mcpToolCall":
      return call(`mcp.${textIn(server) ?? ""}.${textIn(named) ?? ""}`, argumentsOf(tool), mcpResult(tool))
    case "dynamicToolCall":
      return call(nonEmptyTextIn(named) ?? "tool", argumentsOf(tool), dynamicResult(tool))
    default: {
      // A web search, an image looked at, a sub-agent: codex's own doing, not a call that a host could answer.
      const payload = tool.rawInput === undefined ? { title: tool.title, ...rest } : tool.rawInput
      return { _tag: "Note", kind: nonEmptyTextIn(type) ?? "item", payload: boundedJson(payload) }
    }
  }
}

const mcpResult = (tool: ToolCall): string => {
  const given = tool.rawOutput === undefined ? "" : boundedJson(tool.rawOutput)
  if (outcome(tool) === "completed") return given === "" ? "completed" : given
  return failed(tool, nonEmptyTextIn(at(tool.rawOutput, "message")) ?? given)
}

const dynamicResult = (tool: ToolCall): string => {
  const items = listIn(at(tool.rawOutput, "contentItems"))
  const texts = items.flatMap((item) => textIn(at(item, "text")) ?? [])
  const said = texts.length === items.length ? texts.join("\n") : boundedJson(items)
  if (outcome(tool) !== "completed") return failed(tool, said)
  return items.length > 0 ? said : `success: ${at(tool.rawOutput, "success") !== false}`
}

// ---- any other agent, by ACP's kind and the tool's name

/** Kinds that say what was done. The others (`think`, `other`, `switch_mode`) name no tool. */
const telling: ReadonlySet<string> = new Set(["read", "edit", "delete", "move", "search", "execute", "fetch"])

const ofAgent = (tool: ToolCall): Shape => {
  // claude-agent-acp and codex-acp both show a compaction as a thought of this title, and by no other sign in common.
  if (tool.kind === "think" && tool.title === "Compact conversation") return { _tag: "Compaction" }
  if (isCommand(tool)) return command(tool)
  if (tool.kind === "edit" && (tool.name === null || changesOf(tool).length > 0)) return edit(tool)
  if (tool.name !== null) return call(ownName(tool.name), argumentsOf(tool), result(tool))
  if (tool.kind !== null && telling.has(tool.kind)) {
    const args = argumentsOf(tool)
    return call(tool.kind, Object.keys(args).length > 0 ? args : { title: tool.title ?? "" }, result(tool))
  }
  const output = outputOf(tool)
  const payload = { status: outcome(tool), title: tool.title ?? "", ...(output === "" ? {} : { output }) }
  return { _tag: "Note", kind: tool.kind ?? "other", payload: boundedJson(payload) }
}

/** Claude Code and its like call the tool of an MCP server `mcp__server__tool`. */
const ownName = (named: string): string => named.replace(/^mcp__(.+?)__(.+)$/, "mcp.$1.$2")

const result = (tool: ToolCall): string => {
  const output = outputOf(tool)
  if (outcome(tool) !== "completed") return failed(tool, output)
  return output === "" ? "completed" : output
}

// ---- what both have

const command = (tool: ToolCall): Shape => {
  const cwd = nonEmptyTextIn(at(tool.rawInput, "cwd")) ?? tool.cwd
  const args = { command: commandOf(tool) ?? tool.title ?? "", ...(cwd === null ? {} : { cwd }) }
  const { code, output } = exitOf(tool)
  if (code !== null && code !== 0) return call("exec_command", args, `[exit ${code}]\n${output}`)
  // An exit with 0 is the command's own word; else what is said of the call.
  if (outcome(tool) === "completed" || (code === 0 && outcome(tool) === "failed")) {
    return call("exec_command", args, output)
  }
  return call("exec_command", args, lines(`[${outcome(tool)}]`, output))
}

const edit = (tool: ToolCall): Shape => {
  const changes = changesOf(tool)
  const given = at(tool.rawOutput, "changes")
  const count = typeof given === "number" ? given : changes.length
  const summary = `${outcome(tool)}: ${count} ${count === 1 ? "change" : "changes"}`
  // Why it failed; what a successful one says of itself repeats the file.
  const reason = outcome(tool) === "failed" && tool.item === null ? outputOf(tool) : ""
  return call("apply_patch", { changes }, lines(summary, reason))
}

interface Change {
  readonly kind: string
  readonly path: string
}

/** Which files, and what happens to each. What is in them is left in the events. */
const changesOf = (tool: ToolCall): ReadonlyArray<Change> => {
  const told = listIn(at(tool.rawInput, "changes")).flatMap((change) => changed(at(change, "kind"), at(change, "path")))
  const shown = tool.diffs.flatMap(({ _meta, oldText, path }) =>
    changed(at(_meta, "kind") ?? (typeof oldText === "string" ? "update" : "add"), path)
  )
  const { abs_path, file_path, notebook_path, path } = objectIn(tool.rawInput)
  const located = tool.locations.flatMap((location) => changed("update", at(location, "path")))
  const asked = [file_path, path, abs_path, notebook_path].flatMap((path) => changed("update", path)).slice(0, 1)
  const found = [told, shown, located, asked].find((changes) => changes.length > 0) ?? []
  // An agent may show two places of one file.
  return [...new Map(found.map((change) => [`${change.kind} ${change.path}`, change])).values()]
}

const changed = (kind: unknown, path: unknown): ReadonlyArray<Change> => {
  const named = nonEmptyTextIn(path)
  return named === null ? [] : [{ kind: nonEmptyTextIn(kind) ?? "update", path: named }]
}

/** Arguments are an object to OpenAI; another value gets a name. */
const argumentsOf = ({ rawInput }: ToolCall): JsonObject => {
  if (rawInput === undefined || rawInput === null) return {}
  return typeof rawInput === "object" && !Array.isArray(rawInput) ? (rawInput as JsonObject) : { input: rawInput }
}

const failed = (tool: ToolCall, said: string): string => {
  const word = outcome(tool) === "failed" ? "error" : outcome(tool)
  return said === "" ? `[${word}]` : `[${word}] ${said}`
}

const lines = (...parts: ReadonlyArray<string>): string => parts.filter((part) => part !== "").join("\n")
