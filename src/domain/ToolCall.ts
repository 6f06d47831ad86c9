/**
 * A tool call as its agent told it, over however many updates: what was called, whether it ended, what it gave.
 *
 * Merging is all that happens here; what a conversation makes of it is `ToolMessages`.
 */
import type { SessionUpdate } from "./Acp.ts"
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
export const shownText = ({ content }: ToolCall): string =>
  content
    .flatMap((part) => textIn(at(part, "content", "text")) ?? [])
    .map((shown) => /^```\w*\n([\s\S]*?)\n?```$/.exec(shown)?.[1] ?? shown)
    .join("\n")
