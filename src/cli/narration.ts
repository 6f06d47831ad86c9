/**
 * Prints a session as text to read along: the agent's words as they come, each tool call on a line of its own with how it
 * ended, everything else on a line of its own.
 *
 * Messages are read leniently: they come from any agent, over the wire or in-process, and unknown kinds are ignored.
 */
import { clipped } from "../domain/boundedJson.ts"
import { at, nonEmptyTextIn, objectIn, textIn } from "../domain/json.ts"
import type { JsonObject } from "../domain/json.ts"
import * as ToolCall from "../domain/ToolCall.ts"
import type { SessionUpdate } from "../domain/Acp.ts"
import { harmless, oneLine, paint } from "./terminal.ts"

/** The fields of an ACP message that are read here. */
export interface NarratedMessage {
  readonly method?: string | undefined
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: unknown
}

export interface Narrator {
  /** The text of a message, which may end in the middle of a line. */
  readonly narrate: (message: NarratedMessage) => string
  /** A line of the caller's own, between the agent's output. */
  readonly line: (text: string) => string
  /** Ends the line that is open. */
  readonly end: () => string
  /** The state of a tool call that has not ended. */
  readonly tool: (id: string) => ToolCall.ToolCall | undefined
  /** Marks a tool call as declined: agents report that in many ways, or as any other failure. */
  readonly declined: (id: string) => void
}

/** Tool calls that may be open at once; beyond that the oldest is dropped. */
const maxOpenTools = 256

/** In characters; a prompt may be much longer. */
const longestPrompt = 400

export const makeNarrator = (indent = ""): Narrator => {
  /** The message or the tool call that the open line belongs to. */
  let open: string | null = null
  /** Line breaks at the end of the output, printed when more text follows: an answer has no trailing empty lines. */
  let pendingBreaks = ""
  const tools = new Map<string, ToolCall.ToolCall>()

  const end = () => {
    const text = open === null ? "" : "\n"
    open = null
    pendingBreaks = ""
    return text
  }
  const line = (text: string) => `${end()}${indent}${text}\n`
  const flow = (kind: "answer" | "thought", update: SessionUpdate) => {
    const chunk = textIn(at(update, "content", "text")) ?? ""
    if (chunk === "") return ""
    const source = `${kind} ${String(update["messageId"] ?? "")}`
    const start = open === source ? "" : `${end()}${indent}`
    open = source
    const whole = pendingBreaks + harmless(chunk)
    const words = whole.trimEnd() === "" ? "" : whole.replace(/\n+$/, "")
    pendingBreaks = whole.slice(words.length)
    const indented = words.replaceAll("\n", `\n${indent}`)
    return start + (kind === "thought" && indented !== "" ? paint("dim", indented) : indented)
  }

  const toolLine = (tool: ToolCall.ToolCall) => {
    const text = `${end()}${indent}${paint("cyan", `◆ ${titleOf(tool)}`)}`
    open = `tool ${tool.id}`
    return text
  }

  const narrateTool = (update: SessionUpdate): string => {
    const id = textIn(update["toolCallId"])
    if (id === null) return ""
    const openTool = tools.get(id)
    const tool = openTool ?? ToolCall.begin(id)
    const titleBefore = tool.title
    ToolCall.merge(tool, update)
    // Updates of a tool call that was never announced, or has ended, are not printed.
    if (!tool.called) return ""
    const isOpen = open === `tool ${id}`
    const start = openTool === undefined ? toolLine(tool) : ""
    // Some agents begin with the title "Terminal" and send the command later.
    const title = isOpen && titleBefore !== tool.title ? paint("cyan", `: ${titleOf(tool)}`) : ""
    if (tool.status !== "completed" && tool.status !== "failed") {
      tools.set(id, tool)
      const [oldest] = tools.keys()
      if (tools.size > maxOpenTools && oldest !== undefined) tools.delete(oldest)
      return start + title
    }
    tools.delete(id)
    return `${start}${title}${isOpen || start !== "" ? "" : toolLine(tool)} ${endingOf(tool)}${end()}`
  }

  /** The prompt of a turn that was submitted. The session's states and the turn's last message show the rest. */
  const narrateTurn = ({ phase, prompt }: JsonObject): string =>
    phase === "submitted" && nonEmptyTextIn(prompt) !== null
      ? line(paint("bold", `› ${oneLine(clipped(String(prompt), longestPrompt))}`))
      : ""

  const narrate = (message: NarratedMessage): string => {
    if (message.method === undefined) return line(paint("dim", endOf(message)))
    const params = objectIn(message.params)
    if (message.method === "_troupe/turn") return narrateTurn(params)
    if (message.method.startsWith("_troupe/")) return line(paint("dim", troupeText(message.method, params)))
    const update: SessionUpdate = { sessionUpdate: "", ...objectIn(params["update"]) }
    switch (update.sessionUpdate) {
      case "agent_message_chunk":
        return flow("answer", update)
      case "agent_thought_chunk":
        return flow("thought", update)
      case "user_message_chunk":
        return at(update, "_meta", "troupe/steered") === true
          ? line(paint("dim", `› ${oneLine(textIn(at(update, "content", "text")) ?? "")}`))
          : ""
      case "tool_call":
      case "tool_call_update":
        return narrateTool(update)
      default:
        return ""
    }
  }
  const declined = (id: string) => {
    const tool = tools.get(id)
    if (tool !== undefined) tool.ending = "declined"
  }
  return { narrate, line, end, tool: (id) => tools.get(id), declined }
}

const titleOf = ({ kind, title }: ToolCall.ToolCall): string => oneLine(title ?? kind ?? "a tool")

/** `✓`, `[exit 1]`, `[failed]`, `[declined]`. */
const endingOf = (tool: ToolCall.ToolCall): string => {
  const how = ToolCall.outcome(tool)
  if (how === "completed" && (tool.exitCode ?? 0) === 0) return paint("green", "✓")
  if (how === "declined" && tool.status === "failed") return paint("red", "[declined]")
  const code = ToolCall.isCommand(tool) ? (ToolCall.exitOf(tool).code ?? 0) : 0
  return paint("red", code === 0 ? `[${how}]` : `[exit ${code}]`)
}

const endOf = ({ error, result }: NarratedMessage): string =>
  error === undefined
    ? `— ${String(objectIn(result)["stopReason"])}`
    : `— failed: ${harmless(String(objectIn(error)["message"]))}`

/** `_troupe/state {"state":"turning"}` reads "troupe: state turning". */
const troupeText = (method: string, params: Readonly<Record<string, unknown>>): string => {
  const values = Object.entries(params).flatMap(([key, value]) =>
    typeof value === "object" || key === "sessionId" ? [] : [harmless(String(value))]
  )
  return `troupe: ${method.slice("_troupe/".length).replaceAll("_", " ")} ${values.join(", ")}`.trimEnd()
}
