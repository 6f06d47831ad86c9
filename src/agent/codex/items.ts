/**
 * Translates codex's items to tool calls of ACP: which items are tool calls, and what a tool call has at its begin and at
 * its end. Pure.
 *
 * `_meta["troupe/item"]` has what the projection needs and ACP has no field for: the item's codex type and the fields
 * that name it.
 */
import type { SessionUpdate } from "../../domain/Acp.ts"
import { changesIn, commandIn, commandKindIn, type Change, type Item } from "./wire.ts"
import { cut, cutStart } from "../../domain/cut.ts"
import { listIn, numberIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"

/** Displayed text is cut at this length. All of it (codex cuts at 1 MiB) is in `rawOutput`. */
const displayedCharacters = 4_096

/** The fields of each item that is a tool call, by its type. */
const toolCallFields: Readonly<Record<string, (item: Item) => JsonObject>> = {
  commandExecution: (item) => ({
    title: commandIn(item),
    kind: commandKindIn(item),
    rawInput: { command: textIn(item["command"]) ?? "", cwd: textIn(item["cwd"]) },
    _meta: { "troupe/item": { type: item.type, source: textIn(item["source"]) } }
  }),
  fileChange: (item) => {
    const changes = changesIn(item)
    return {
      title: changesTitle(changes),
      kind: "edit",
      rawInput: { changes: changes.map(({ kind, path }) => ({ kind, path })) },
      locations: changes.map(({ path, movedTo }) => ({ path: movedTo ?? path })),
      content: changes.map(diffOf),
      _meta: { "troupe/item": { type: item.type } }
    }
  },
  mcpToolCall: (item) => {
    const [server, tool] = [textIn(item["server"]) ?? "", textIn(item["tool"]) ?? ""]
    return {
      title: `${server}.${tool}`,
      kind: item["readOnlyHint"] === true ? "read" : "other",
      rawInput: item["arguments"] ?? null,
      _meta: { "troupe/item": { type: item.type, server, tool } }
    }
  },
  dynamicToolCall: (item) => ({
    title: textIn(item["tool"]) ?? "tool",
    kind: "other",
    rawInput: item["arguments"] ?? null,
    _meta: { "troupe/item": { type: item.type, tool: textIn(item["tool"]), namespace: textIn(item["namespace"]) } }
  }),
  webSearch: (item) => {
    const action = objectIn(item["action"])
    const url = textIn(action["url"])
    return {
      title: url ?? textIn(item["query"]) ?? textIn(action["query"]) ?? "web search",
      kind: url === null ? "search" : "fetch",
      rawInput: { query: textIn(item["query"]), action },
      _meta: { "troupe/item": { type: item.type } }
    }
  },
  imageView: (item) => ({
    title: `View ${textIn(item["path"]) ?? "an image"}`,
    kind: "read",
    rawInput: { path: textIn(item["path"]) },
    locations: [{ path: textIn(item["path"]) ?? "" }],
    _meta: { "troupe/item": { type: item.type } }
  }),
  collabAgentToolCall: (item) => subAgent(item, textIn(item["tool"])),
  subAgentActivity: (item) => subAgent(item, textIn(item["kind"]))
}

const subAgent = (item: Item, what: string | null): JsonObject => ({
  title: ["Sub-agent", textIn(item["agentPath"]), what].filter((part) => part !== null).join(" "),
  kind: "other",
  _meta: { "troupe/item": { type: item.type, thread: textIn(item["agentThreadId"]), what } }
})

export const isToolCall = (item: Item): boolean => Object.hasOwn(toolCallFields, item.type)

export const toolCall = (item: Item): SessionUpdate => ({
  sessionUpdate: "tool_call",
  toolCallId: item.id,
  status: "in_progress",
  ...toolCallFields[item.type]?.(item)
})

/** The end of a tool call, from `item/completed`: its status and its output. */
export const toolCallEnd = (item: Item): SessionUpdate => ({
  sessionUpdate: "tool_call_update",
  toolCallId: item.id,
  status: succeeded(item) ? "completed" : "failed",
  ...outcome(item),
  // To ACP a declined call has failed; this distinguishes the two.
  _meta: { "troupe/status": textIn(item["status"]) ?? "completed" }
})

/** The end of a tool call whose turn has ended, because codex sends none. */
export const toolCallAbandoned = (itemId: string): SessionUpdate => ({
  sessionUpdate: "tool_call_update",
  toolCallId: itemId,
  status: "failed",
  _meta: { "troupe/status": "abandoned" }
})

/** An update of a running call that changes neither its status nor its output. */
export const toolCallProgress = (toolCallId: string, meta: JsonObject): SessionUpdate => ({
  sessionUpdate: "tool_call_update",
  toolCallId,
  _meta: meta
})

const succeeded = (item: Item): boolean => {
  const status = textIn(item["status"])
  if (status === "failed" || status === "declined") return false
  return item["success"] !== false
}

const outcome = (item: Item): JsonObject => {
  switch (item.type) {
    case "commandExecution": {
      const output = textIn(item["aggregatedOutput"]) ?? ""
      return {
        rawOutput: { output, exitCode: numberIn(item["exitCode"]), durationMs: numberIn(item["durationMs"]) },
        content: displayed(output)
      }
    }
    case "fileChange": {
      // The texts are in the call already, and a conversation needs their number only.
      return { rawOutput: { status: textIn(item["status"]), changes: changesIn(item).length } }
    }
    case "mcpToolCall": {
      const result = objectIn(item["result"])
      const texts = listIn(result["content"]).flatMap((part) => textIn(objectIn(part)["text"]) ?? [])
      return { rawOutput: item["error"] ?? item["result"] ?? null, content: displayed(texts.join("\n")) }
    }
    case "dynamicToolCall": {
      const texts = listIn(item["contentItems"]).flatMap((part) => textIn(objectIn(part)["text"]) ?? [])
      return {
        rawOutput: { contentItems: item["contentItems"] ?? null, success: item["success"] ?? null },
        content: displayed(texts.join("\n"))
      }
    }
    case "webSearch": {
      // The item begins empty; only its end has the query.
      const { title, kind, rawInput } = toolCallFields["webSearch"]?.(item) ?? {}
      return { title, kind, rawInput }
    }
    default:
      return {}
  }
}

/** `2 update, 1 add: a.ts, b.ts, c.ts`. */
export const changesTitle = (changes: ReadonlyArray<Change>): string => {
  const counts = new Map<string, number>()
  for (const { kind } of changes) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  const kinds = [...counts].map(([kind, count]) => `${count} ${kind}`).join(", ")
  return cut(`${kinds}: ${changes.map(({ path }) => path.slice(path.lastIndexOf("/") + 1)).join(", ")}`, 500)
}

const diffOf = (change: Change): JsonObject => {
  const { oldText, newText } = sidesOf(change)
  const moved = change.movedTo === null ? {} : { _meta: { "troupe/movedFrom": change.path } }
  return { type: "diff", path: change.movedTo ?? change.path, oldText, newText, ...moved }
}

/** The two sides of an update, as far as its hunks have them: codex does not send the whole file. */
const sidesOf = ({ kind, diff }: Change): { readonly oldText: string | null; readonly newText: string } => {
  if (kind === "add") return { oldText: null, newText: diff }
  if (kind === "delete") return { oldText: diff, newText: "" }
  const lines = diff.split("\n").filter((line) => !/^(@@|---|\+\+\+|\\)/.test(line))
  const side = (mark: string) =>
    lines.flatMap((line) => (line.startsWith(mark) || line.startsWith(" ") ? [line.slice(1)] : [])).join("\n")
  return { oldText: side("-"), newText: side("+") }
}

const displayed = (text: string): ReadonlyArray<JsonObject> =>
  text === "" ? [] : [{ type: "content", content: { type: "text", text: clipped(text) } }]

const clipped = (text: string): string => {
  if (text.length <= displayedCharacters) return text
  const half = displayedCharacters / 2
  const [head, tail] = [cut(text, half), cutStart(text, half)]
  return `${head}\n… ${text.length - head.length - tail.length} characters left out …\n${tail}`
}
