/**
 * A tool call as its agent reported it over any number of updates: what was called, whether it ended, and its output.
 *
 * The messages that a conversation has of it are made in `src/conversation/ToolMessages.ts`.
 */
import type { SessionUpdate } from "./Acp.ts"
import { boundedJson, clipped } from "./boundedJson.ts"
import { at, integerIn, listIn, nonEmptyTextIn, objectIn, textIn } from "./json.ts"
import type { JsonObject } from "./json.ts"

/** Of output that comes in pieces; what an agent sends whole counts instead, and is clipped when it is written. */
const longestStream = 64 * 1024

export interface ToolCall {
  readonly id: string
  /** Its `tool_call` was seen. Without it there are only updates of something unknown. */
  called: boolean
  title: string | null
  kind: string | null
  /** The agent's own name for the tool. */
  name: string | null
  status: string | null
  rawInput: unknown
  rawOutput: unknown
  content: ReadonlyArray<unknown>
  /** The last diffs shown: an end that replaces the content may drop them. */
  diffs: ReadonlyArray<JsonObject>
  locations: ReadonlyArray<unknown>
  /** What codex calls the item, and the fields that name it (`_meta["troupe/item"]`). `null`: another agent's. */
  item: JsonObject | null
  /** Codex's own word for how it ended, such as `declined` (`_meta["troupe/status"]`). */
  ending: string | null
  /** Where its terminal is. */
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

/** Each field of an update replaces the one before it, as ACP has it; output in pieces is what adds up. */
export const merge = (tool: ToolCall, update: SessionUpdate): void => {
  const meta = objectIn(update["_meta"])
  if (update.sessionUpdate === "tool_call") tool.called = true
  tool.title = nonEmptyTextIn(update["title"]) ?? tool.title
  tool.kind = nonEmptyTextIn(update["kind"]) ?? tool.kind
  tool.name = nonEmptyTextIn(update["name"]) ?? nonEmptyTextIn(at(meta, "claudeCode", "toolName")) ?? tool.name
  tool.status = nonEmptyTextIn(update["status"]) ?? tool.status
  tool.rawInput = update["rawInput"] ?? tool.rawInput
  tool.rawOutput = update["rawOutput"] ?? tool.rawOutput
  if (Array.isArray(update["content"])) {
    tool.content = listIn(update["content"])
    const diffs = tool.content.map(objectIn).filter(({ type }) => type === "diff")
    if (diffs.length > 0) tool.diffs = diffs
  }
  if (Array.isArray(update["locations"])) tool.locations = update["locations"]
  if (meta["troupe/item"] !== undefined) tool.item = objectIn(meta["troupe/item"])
  tool.ending = nonEmptyTextIn(meta["troupe/status"]) ?? tool.ending
  tool.cwd = nonEmptyTextIn(at(meta, "terminal_info", "cwd")) ?? tool.cwd
  tool.exitCode = exitCodeIn(tool.rawOutput) ?? integerIn(at(meta, "terminal_exit", "exit_code")) ?? tool.exitCode
  // codex through Troupe; claude-agent-acp 0.100 and codex-acp 2.6, which take the key from the client's capabilities.
  const piece = textIn(meta["troupe/output"]) ?? textIn(at(meta, "terminal_output_delta", "data"))
  if (piece !== null && tool.streamed.length < longestStream) tool.streamed += piece
}

const exitCodeIn = (rawOutput: unknown): number | null =>
  integerIn(at(rawOutput, "exitCode")) ?? integerIn(at(rawOutput, "exit_code"))

/** It came to an end of its own. One that was abandoned with its turn did not. */
export const ended = ({ ending, status }: ToolCall): boolean =>
  (status === "completed" || status === "failed") && ending !== "abandoned"

/**
 * How it ended in one word: `completed`, `failed`, `declined`, or `unfinished` where its turn was over first.
 *
 * A command with a non-zero exit is `failed` to codex, and so is an MCP tool that reported an error.
 */
export const outcome = (tool: ToolCall): string => {
  if (!ended(tool)) return "unfinished"
  return tool.ending === "declined" ? "declined" : (tool.status ?? "completed")
}

/** The texts among its content, without the fence that claude-agent-acp puts around output. */
const shownText = ({ content }: ToolCall): string =>
  content
    .flatMap((part) => textIn(at(part, "content", "text")) ?? [])
    .map((shown) => /^```\w*\n([\s\S]*?)\n?```$/.exec(shown)?.[1] ?? shown)
    .join("\n")

/** The output as text: as it was sent whole, else in pieces, else as it was shown. */
export const outputOf = (tool: ToolCall): string => {
  const { rawOutput, streamed } = tool
  const whole = textIn(rawOutput) ?? textIn(at(rawOutput, "output"))
  if (whole !== null) return clipped(whole)
  if (streamed !== "") return streamed
  const parts = listIn(rawOutput).flatMap((part) => textIn(at(part, "text")) ?? [])
  if (parts.length > 0) return parts.join("\n")
  const shown = shownText(tool)
  // claude-agent-acp shows what the command is for while it runs.
  if (shown !== "" && shown !== at(tool.rawInput, "description")) return shown
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
