/**
 * What an agent says and does, as text to read along: its words as they come, a tool call on a line of its own with how
 * it ended, everything else on a line of its own.
 *
 * Messages are read loosely: they come from any agent, over the wire or in-process, and an unknown kind is no news.
 */
import { at, record, text } from "../conversation/Json.ts"
import * as ToolCall from "../conversation/ToolCall.ts"
import { shapeOf } from "../conversation/ToolMessages.ts"
import type { SessionUpdate } from "../domain/Acp.ts"
import { harmless, oneLine, paint } from "./terminal.ts"

/** As much of an ACP message as is read here. */
export interface Told {
  readonly method?: string | undefined
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: unknown
}

export interface Narrator {
  /** The text to write next, which may be the middle of a line. */
  readonly tell: (message: Told) => string
  /** A line of whoever narrates, between what the agent says. */
  readonly line: (text: string) => string
  /** Ends a line that is open. */
  readonly end: () => string
  /** What is known of a tool call that has not ended. */
  readonly tool: (id: string) => ToolCall.ToolCall | undefined
  /** It was not allowed: agents tell that in many ways, or as any other failure. */
  readonly declined: (id: string) => void
}

/** Tool calls that may be open at once; beyond, the oldest is forgotten. */
const toolsKept = 256

export const makeNarrator = (indent = ""): Narrator => {
  /** What the open line is of: a message of the agent's, or a tool call. */
  let open: string | null = null
  /** Ends of lines that the agent has told and that are written when more follows: an answer ends where its words do. */
  let owed = ""
  const tools = new Map<string, ToolCall.ToolCall>()

  const end = () => {
    const text = open === null ? "" : "\n"
    open = null
    owed = ""
    return text
  }
  const line = (text: string) => `${end()}${indent}${text}\n`
  const flow = (kind: "answer" | "thought", update: SessionUpdate) => {
    const said = text(at(update, "content", "text")) ?? ""
    if (said === "") return ""
    const of = `${kind} ${String(update["messageId"] ?? "")}`
    const start = open === of ? "" : `${end()}${indent}`
    open = of
    const whole = owed + harmless(said)
    const words = whole.trimEnd() === "" ? "" : whole.replace(/\n+$/, "")
    owed = whole.slice(words.length)
    const shown = words.replaceAll("\n", `\n${indent}`)
    return start + (kind === "thought" && shown !== "" ? paint("dim", shown) : shown)
  }

  const began = (tool: ToolCall.ToolCall) => {
    const text = `${end()}${indent}${paint("cyan", `◆ ${titleOf(tool)}`)}`
    open = `tool ${tool.id}`
    return text
  }

  const hearTool = (update: SessionUpdate): string => {
    const id = text(update["toolCallId"])
    if (id === null) return ""
    const known = tools.get(id)
    const tool = known ?? ToolCall.begin(id)
    const titled = tool.title
    ToolCall.merge(tool, update)
    // Of one that was never called, or has ended, there is nothing more to tell.
    if (!tool.called) return ""
    const isOpen = open === `tool ${id}`
    const start = known === undefined ? began(tool) : ""
    // Some agents begin with "Terminal" and tell later what is run in it.
    const title = isOpen && titled !== tool.title ? paint("cyan", `: ${titleOf(tool)}`) : ""
    if (tool.status !== "completed" && tool.status !== "failed") {
      tools.set(id, tool)
      const [oldest] = tools.keys()
      if (tools.size > toolsKept && oldest !== undefined) tools.delete(oldest)
      return start + title
    }
    tools.delete(id)
    return `${start}${title}${isOpen || start !== "" ? "" : began(tool)} ${endingOf(tool)}${end()}`
  }

  const tell = (message: Told): string => {
    if (message.method === undefined) return line(paint("dim", endOf(message)))
    const params = record(message.params)
    if (message.method.startsWith("_troupe/")) return line(paint("dim", newsOf(message.method, params)))
    const update: SessionUpdate = { sessionUpdate: "", ...record(params["update"]) }
    switch (update.sessionUpdate) {
      case "agent_message_chunk":
        return flow("answer", update)
      case "agent_thought_chunk":
        return flow("thought", update)
      case "user_message_chunk":
        return at(update, "_meta", "troupe/steered") === true
          ? line(paint("dim", `› ${oneLine(text(at(update, "content", "text")) ?? "")}`))
          : ""
      case "tool_call":
      case "tool_call_update":
        return hearTool(update)
      default:
        return ""
    }
  }
  const declined = (id: string) => {
    const tool = tools.get(id)
    if (tool !== undefined) tool.ending = "declined"
  }
  return { tell, line, end, tool: (id) => tools.get(id), declined }
}

const titleOf = ({ kind, title }: ToolCall.ToolCall): string => oneLine(title ?? kind ?? "a tool")

/** `✓`, `[exit 1]`, `[failed]`, `[declined]`. */
const endingOf = (tool: ToolCall.ToolCall): string => {
  const how = ToolCall.outcome(tool)
  if (how === "completed" && (tool.exitCode ?? 0) === 0) return paint("green", "✓")
  if (how === "declined" && tool.status === "failed") return paint("red", "[declined]")
  const shape = shapeOf(tool)
  const exit = shape._tag === "Call" ? /^\[exit -?\d+\]/.exec(shape.content)?.[0] : undefined
  return paint("red", exit ?? `[${how}]`)
}

const endOf = ({ error, result }: Told): string =>
  error === undefined
    ? `— ${String(record(result)["stopReason"])}`
    : `— failed: ${harmless(String(record(error)["message"]))}`

/** `_troupe/state {"state":"turning"}` reads "troupe: state turning". */
const newsOf = (method: string, params: Readonly<Record<string, unknown>>): string => {
  const told = Object.entries(params).flatMap(([key, value]) =>
    typeof value === "object" || key === "sessionId" ? [] : [harmless(String(value))]
  )
  return `troupe: ${method.slice("_troupe/".length).replaceAll("_", " ")} ${told.join(", ")}`.trimEnd()
}
