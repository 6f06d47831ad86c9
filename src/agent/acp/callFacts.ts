/**
 * What a tool call or a permission request of an ACP agent says of what it will do, and the action that this amounts to.
 *
 * The schema leaves `rawInput` to each agent. The fields read here are those of claude-agent-acp, codex-acp, Gemini CLI and
 * opencode (traces in `test/fixtures/traces`). A call that names a command is a command, whatever its kind says.
 */
import { at, listIn, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { RequestedAction } from "../../domain/RequestedAction.ts"
import { simpleCommand, unwrapped } from "../../domain/simpleCommand.ts"

/** `null` and empty: not said, as in an update that repeats nothing. */
export interface CallFacts {
  readonly kind: string | null
  readonly title: string | null
  readonly command: CommandLine | null
  readonly paths: ReadonlyArray<string>
  readonly url: string | null
  /** Looks through the session's directory where it names no path. */
  readonly searches: boolean
  readonly mcp: { readonly server: string; readonly tool: string } | null
}

interface CommandLine {
  readonly text: string
  readonly argv: ReadonlyArray<string> | null
}

/** How many paths of a call are kept. One more, and they count as unknown. */
const maxPaths = 1_000

export const factsIn = (call: JsonObject): CallFacts => {
  const input = objectIn(call["rawInput"])
  return {
    kind: nonEmptyTextIn(call["kind"]),
    title: nonEmptyTextIn(call["title"]),
    command: commandLineIn(input),
    paths: [...new Set([...pathsIn(input), ...locationsIn(call), ...diffsIn(call)])].slice(0, maxPaths + 1),
    url: nonEmptyTextIn(input["url"]) ?? nonEmptyTextIn(input["uri"]),
    searches: searchesHere(input),
    mcp: mcpIn(call)
  }
}

/** The later facts where they say something, else the earlier ones. Every path that was named counts. */
export const merged = (earlier: CallFacts, later: CallFacts): CallFacts => ({
  kind: later.kind ?? earlier.kind,
  title: later.title ?? earlier.title,
  command: later.command ?? earlier.command,
  paths: [...new Set([...earlier.paths, ...later.paths])].slice(0, maxPaths + 1),
  url: later.url ?? earlier.url,
  searches: later.searches || earlier.searches,
  mcp: later.mcp ?? earlier.mcp
})

export const actionOf = (facts: CallFacts): RequestedAction => {
  const { command, kind, mcp, searches, title, url } = facts
  if (command !== null) return { _tag: "Command", ...command }
  if (mcp !== null) return { _tag: "McpTool", ...mcp }
  // A tool that takes an address reaches out, also where it calls that a read.
  if (url !== null) return { _tag: "Network", host: URL.canParse(url) ? new URL(url).host : null }
  const paths = facts.paths.length > maxPaths ? [] : facts.paths
  switch (kind) {
    case "execute":
      return { _tag: "Command", text: title ?? "", argv: null }
    case "read":
    case "search":
      return { _tag: "Read", paths: paths.length === 0 && searches ? ["."] : paths }
    case "edit":
    case "delete":
    case "move":
      return { _tag: "Edit", paths }
    case "fetch":
      return { _tag: "Network", host: null }
    default:
      return { _tag: "Other" }
  }
}

/**
 * A list is run without a shell, but for the shell that it may begin with. What is there and can't be read as a command
 * is one all the same, which no rule knows.
 */
const commandLineIn = (input: JsonObject): CommandLine | null => {
  const command = input["command"] ?? input["cmd"] ?? input["script"] ?? null
  if (command === null || command === "") return null
  return readCommand(command) ?? { text: JSON.stringify(command), argv: null }
}

const readCommand = (command: unknown): CommandLine | null => {
  if (Array.isArray(command)) {
    const argv = command.filter((word) => typeof word === "string")
    if (argv.length === 0 || argv.length < command.length) return null
    const [shell = "", option = "", script] = argv
    const isShell = /^(?:\/\S*\/)?(?:ba|z|da)?sh$/.test(shell)
    if (isShell && argv.length === 3 && script !== undefined && /^-l?c$/.test(option))
      return { text: script, argv: simpleCommand(script) }
    return { text: argv.join(" "), argv: isShell ? null : argv }
  }
  const text = nonEmptyTextIn(command)
  return text === null ? null : { text, argv: simpleCommand(unwrapped(text)) }
}

/** A pattern of a search that names no path; one that may lead out of the session's directory does not count. */
const searchesHere = (input: JsonObject): boolean => {
  const pattern = nonEmptyTextIn(input["pattern"])
  return pattern !== null && input["path"] === undefined && !/^[/~]|\.\.[/\\]|\.\.$/.test(pattern)
}

/** Names of fields that hold a path, or several: `file_path`, `filePath`, `paths`, `notebook_path`, `cwd`, … */
const pathKey = /(?:path|file|filename|directory|dir|cwd)s?$/i
/** How deep a tool's input is looked through: `edits: [{ path }]`. */
const deepest = 4

/** Every path that is named anywhere in the input: one too many is asked for, one too few would be approved. */
const namedPaths = (value: unknown, depth = 0): ReadonlyArray<string> => {
  if (typeof value !== "object" || value === null || depth > deepest) return []
  if (Array.isArray(value)) return value.flatMap((member) => namedPaths(member, depth + 1))
  return Object.entries(value).flatMap(([key, member]) => {
    if (!pathKey.test(key)) return namedPaths(member, depth + 1)
    const texts = Array.isArray(member) ? member : [member]
    return texts.flatMap((text) => nonEmptyTextIn(text) ?? namedPaths(text, depth + 1))
  })
}

/** codex-acp has the changes of a patch by their paths. */
const pathsIn = (input: JsonObject): ReadonlyArray<string> => [
  ...Object.keys(objectIn(input["changes"])),
  ...namedPaths(input)
]

const locationsIn = (call: JsonObject): ReadonlyArray<string> =>
  listIn(call["locations"]).flatMap((location) => nonEmptyTextIn(objectIn(location)["path"]) ?? [])

const diffsIn = (call: JsonObject): ReadonlyArray<string> =>
  listIn(call["content"]).flatMap((block) => {
    const { path, type } = objectIn(block)
    return type === "diff" ? (nonEmptyTextIn(path) ?? []) : []
  })

/** Claude's name of a tool of an MCP server: `mcp__server__tool`. */
const mcpIn = (call: JsonObject): CallFacts["mcp"] => {
  const name = nonEmptyTextIn(at(call, "_meta", "claudeCode", "toolName")) ?? nonEmptyTextIn(call["title"]) ?? ""
  const [, server, tool] = /^mcp__(.+?)__(.+)$/.exec(name) ?? []
  return server === undefined || tool === undefined ? null : { server, tool }
}
