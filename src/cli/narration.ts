/**
 * What an agent says and does, as text to read along: its words as they come, everything else on a line of its own.
 *
 * Messages are read loosely: they come from any agent, over the wire or in-process, and an unknown kind is no news.
 */
import { harmless, paint } from "./terminal.ts"

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
  /** Ends a line that is open. */
  readonly end: () => string
}

export const makeNarrator = (indent = ""): Narrator => {
  let open: "answer" | "thought" | null = null

  const end = () => {
    const text = open === null ? "" : "\n"
    open = null
    return text
  }
  const line = (text: string) => `${end()}${indent}${text}\n`
  const flow = (kind: "answer" | "thought", text: string) => {
    const start = open === kind ? "" : `${end()}${indent}`
    open = kind
    const words = harmless(text).replaceAll("\n", `\n${indent}`)
    return start + (kind === "thought" ? paint("dim", words) : words)
  }

  const tell = (message: Told): string => {
    if (message.method === undefined) return line(paint("dim", endOf(message)))
    const params = record(message.params)
    if (message.method.startsWith("_troupe/")) return line(paint("dim", newsOf(message.method, params)))
    const update = record(params["update"])
    switch (update["sessionUpdate"]) {
      case "agent_message_chunk":
        return flow("answer", textOf(update["content"]))
      case "agent_thought_chunk":
        return flow("thought", textOf(update["content"]))
      case "tool_call":
        return line(paint("cyan", `◆ ${harmless(String(update["title"] ?? update["kind"] ?? "a tool"))}`))
      case "tool_call_update":
        return update["status"] === "failed" ? line(paint("red", "◆ the tool failed")) : ""
      default:
        return ""
    }
  }
  return { tell, end }
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}

const textOf = (content: unknown): string => {
  const { text } = record(content)
  return typeof text === "string" ? text : ""
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
