/**
 * Merges the updates of one tool call: what was called, whether it ended, and its output.
 *
 * `src/conversation/toolMessages.ts` makes messages of it.
 */
import type { SessionUpdate } from "./Acp.ts"
import { boundedJson, clipped } from "./boundedJson.ts"
import { at, integerIn, listIn, nonEmptyTextIn, objectIn, textIn } from "./json.ts"
import type { JsonObject } from "./json.ts"

/** The limit of output that comes in pieces. Complete output replaces it, and is clipped when it is written. */
const maxStreamedCharacters = 64 * 1024

export interface ToolCall {
  readonly id: string
  /** Its `tool_call` has come. Without it there are only updates of an unknown call. */
  called: boolean
  title: string | null
  kind: string | null
  /** The agent's own name for the tool. */
  name: string | null
  status: string | null
  rawInput: unknown
  rawOutput: unknown
  content: ReadonlyArray<unknown>
  /** The last diffs of its content. Kept apart, because an end that replaces the content may not have them. */
  diffs: ReadonlyArray<JsonObject>
  locations: ReadonlyArray<unknown>
  /** The item's codex type and the fields that name it (`_meta["troupe/item"]`); `null`: another agent's call. */
  item: JsonObject | null
  /** codex's own status of its end, such as `declined` (`_meta["troupe/status"]`). */
  ending: string | null
  /** The working directory of its terminal. */
  cwd: string | null
  exitCode: number | null
  /** Output that came in pieces. */
  streamed: string
}

export const begin = (id: string): ToolCall => ({
  id,
  called: false,
  title: null,
  kind: null,
  name: null,
  status: null,
  rawInput: undefined,
  rawOutput: undefined,
  content: [],
  diffs: [],
  locations: [],
  item: null,
  ending: null,
  cwd: null,
  exitCode: null,
  streamed: ""
})

/** What a call is and whether it has ended: the part of `merge` that nothing which went in or came out has to do with. */
export const mergeForm = (tool: ToolCall, update: SessionUpdate): void => {
  const meta = objectIn(update["_meta"])
  if (update.sessionUpdate === "tool_call") tool.called = true
  tool.title = nonEmptyTextIn(update["title"]) ?? tool.title
  tool.kind = nonEmptyTextIn(update["kind"]) ?? tool.kind
  tool.name = nonEmptyTextIn(update["name"]) ?? nonEmptyTextIn(at(meta, "claudeCode", "toolName")) ?? tool.name
  tool.status = nonEmptyTextIn(update["status"]) ?? tool.status
  if (meta["troupe/item"] !== undefined) tool.item = objectIn(meta["troupe/item"])
  tool.ending = nonEmptyTextIn(meta["troupe/status"]) ?? tool.ending
}

/** Each field of an update replaces the earlier value, as in ACP; output in pieces is appended. */
export const merge = (tool: ToolCall, update: SessionUpdate): void => {
  mergeForm(tool, update)
  const meta = objectIn(update["_meta"])
  tool.rawInput = update["rawInput"] ?? tool.rawInput
  tool.rawOutput = update["rawOutput"] ?? tool.rawOutput
  if (Array.isArray(update["content"])) {
    tool.content = listIn(update["content"])
    const diffs = tool.content.map(objectIn).filter(({ type }) => type === "diff")
    if (diffs.length > 0) tool.diffs = diffs
  }
  if (Array.isArray(update["locations"])) tool.locations = update["locations"]
  tool.cwd = nonEmptyTextIn(at(meta, "terminal_info", "cwd")) ?? tool.cwd
  tool.exitCode = exitCodeIn(tool.rawOutput) ?? integerIn(at(meta, "terminal_exit", "exit_code")) ?? tool.exitCode
  // The first is codex's, translated by Troupe; the second is of claude-agent-acp 0.100 and codex-acp 2.6.
  const piece = textIn(meta["troupe/output"]) ?? textIn(at(meta, "terminal_output_delta", "data"))
  if (piece !== null && tool.streamed.length < maxStreamedCharacters) tool.streamed += piece
}

const exitCodeIn = (rawOutput: unknown): number | null =>
  integerIn(at(rawOutput, "exitCode")) ?? integerIn(at(rawOutput, "exit_code"))

/** The call has ended by itself. A call that was abandoned with its turn has not. */
export const ended = ({ ending, status }: ToolCall): boolean =>
  (status === "completed" || status === "failed") && ending !== "abandoned"

/**
 * How the call ended: `completed`, `failed`, `declined`, or `unfinished` where its turn ended first.
 *
 * To codex a command with a non-zero exit code is `failed`, and so is an MCP tool that reported an error.
 */
export const outcome = (tool: ToolCall): string => {
  if (!ended(tool)) return "unfinished"
  return tool.ending === "declined" ? "declined" : (tool.status ?? "completed")
}

/** The texts of its content, without the fence that claude-agent-acp puts around output. */
const contentTextOf = ({ content }: ToolCall): string =>
  content
    .flatMap((part) => textIn(at(part, "content", "text")) ?? [])
    .map((text) => /^```\w*\n([\s\S]*?)\n?```$/.exec(text)?.[1] ?? text)
    .join("\n")

/** The output as text: the complete output, else its pieces, else the texts of the content. */
export const outputOf = (tool: ToolCall): string => {
  const { rawOutput, streamed } = tool
  const complete = textIn(rawOutput) ?? textIn(at(rawOutput, "output"))
  if (complete !== null) return clipped(complete)
  if (streamed !== "") return streamed
  const parts = listIn(rawOutput).flatMap((part) => textIn(at(part, "text")) ?? [])
  if (parts.length > 0) return parts.join("\n")
  const contentText = contentTextOf(tool)
  // While a command runs, claude-agent-acp sends its description as the content.
  if (contentText !== "" && contentText !== at(tool.rawInput, "description")) return contentText
  const { exit_code: _, ...rest } = objectIn(rawOutput)
  return Object.keys(rest).length > 0 ? boundedJson(rest) : ""
}

/** Whether it runs a command: by the type of codex's item, else by the tool's name or ACP's kind. */
export const isCommand = (tool: ToolCall): boolean => {
  const { item, kind, name } = tool
  if (item !== null) return item["type"] === "commandExecution"
  return name === "exec_command" || (kind === "execute" && (name === null || commandOf(tool) !== null))
}

/** The command line; `null` where the agent did not send it. */
export const commandOf = ({ rawInput }: ToolCall): string | null => {
  const { cmd, command } = objectIn(rawInput)
  if (Array.isArray(command)) return command.filter((word) => typeof word === "string").join(" ")
  return nonEmptyTextIn(command) ?? nonEmptyTextIn(cmd)
}

/** The exit code of a command, `null` where it is not known, and its output without a code that is not 0. */
export const exitOf = (tool: ToolCall): { readonly code: number | null; readonly output: string } => {
  const output = outputOf(tool)
  // The output of Claude Code's failing commands begins with the exit code, which older adapters send nowhere else.
  const prefix = outcome(tool) === "failed" ? /^(?:Error: )?Exit code (\d+)(?:\n|$)/.exec(output) : null
  if (prefix === null) return { code: tool.exitCode, output }
  const code = Number(prefix[1])
  return { code, output: code === 0 ? output : output.slice(prefix[0].length) }
}
