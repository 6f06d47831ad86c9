/**
 * What a tool call or a permission request of an ACP agent says of what it will do, and the action that this amounts to.
 *
 * The schema leaves `rawInput` to each agent. The fields read here are those of claude-agent-acp, codex-acp, Gemini CLI and
 * opencode (traces in `test/fixtures/traces`). A call that names a command is a command, whatever its kind says.
 */
import { at, listIn, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { RequestedAction } from "../../domain/RequestedAction.ts"
import { isSystemShell, simpleCommand, unwrapped } from "../../domain/simpleCommand.ts"

/** `null` and empty: not said, as in an update that repeats nothing. */
export interface CallFacts {
  readonly kind: string | null
  readonly title: string | null
  readonly command: CommandLine | null
  readonly paths: ReadonlyArray<string>
  readonly url: string | null
  /** Looks through the session's directory where it names no path. */
  readonly searches: boolean
  /** A pattern of its input may lead out of the session's directory, whatever path it names besides. */
  readonly strays: boolean
  readonly mcp: McpName | null
  /** Claude's tool for sub-agents: whether it does no more than start one. `null`: it is another tool, or has no input. */
  readonly delegates: boolean | null
}

interface CommandLine {
  readonly text: string
  readonly argv: ReadonlyArray<string> | null
  readonly directories: ReadonlyArray<string>
}

interface McpName {
  readonly server: string
  readonly tool: string
  /** It is the name of the tool that is called, not only a title. */
  readonly isCertain: boolean
}

/** How many paths of a call are kept. One more, and they count as unknown. */
const maxPaths = 1_000

/** Of an update that brings output and nothing else, as most do. */
const nothing: CallFacts = {
  kind: null,
  title: null,
  command: null,
  paths: [],
  url: null,
  searches: false,
  strays: false,
  mcp: null,
  delegates: null
}

const tellingMembers = ["rawInput", "kind", "title", "locations", "_meta"] as const

export const factsIn = (call: JsonObject): CallFacts => {
  if (tellingMembers.every((member) => call[member] === undefined) && diffsIn(call).length === 0) return nothing
  const input = objectIn(call["rawInput"])
  return {
    kind: nonEmptyTextIn(call["kind"]),
    title: nonEmptyTextIn(call["title"]),
    command: commandLineIn(input),
    paths: [...new Set([...pathsIn(input), ...locationsIn(call), ...diffsIn(call)])].slice(0, maxPaths + 1),
    url: nonEmptyTextIn(input["url"]) ?? nonEmptyTextIn(input["uri"]),
    searches: searchesHere(input),
    strays: patternsIn(input).some((pattern) => leadsOut.test(pattern)),
    mcp: mcpIn(call),
    delegates: delegatesIn(call, input)
  }
}

/** The later facts where they say something, else the earlier ones. Every path that was named counts. */
export const merged = (earlier: CallFacts, later: CallFacts): CallFacts =>
  later === nothing
    ? earlier
    : {
        kind: later.kind ?? earlier.kind,
        title: later.title ?? earlier.title,
        command: later.command ?? earlier.command,
        paths: [...new Set([...earlier.paths, ...later.paths])].slice(0, maxPaths + 1),
        url: later.url ?? earlier.url,
        searches: later.searches || earlier.searches,
        strays: later.strays || earlier.strays,
        mcp: earlier.mcp?.isCertain === true ? earlier.mcp : (later.mcp ?? earlier.mcp),
        delegates: later.delegates ?? earlier.delegates
      }

export const actionOf = (facts: CallFacts): RequestedAction => {
  const { command, kind, mcp, searches, strays, title, url } = facts
  // Its input is for its server: what it calls a command, or a path, is not one of this machine that a rule could mean.
  if (mcp?.isCertain === true) return mcpTool(mcp)
  if (facts.delegates !== null) return { _tag: facts.delegates ? "SubAgent" : "Other" }
  if (command !== null) return { _tag: "Command", ...command }
  // A tool that takes an address reaches out, also where it calls that a read.
  if (url !== null) return { _tag: "Network", host: URL.canParse(url) ? new URL(url).host : null }
  const paths = facts.paths.length > maxPaths ? [] : facts.paths
  switch (kind) {
    case "execute":
      return { _tag: "Command", text: title ?? "", argv: null, directories: [] }
    case "read":
    case "search":
      if (strays) return { _tag: "Read", paths: [] }
      return { _tag: "Read", paths: paths.length === 0 && searches ? ["."] : paths }
    case "edit":
    case "delete":
      return { _tag: "Edit", paths }
    case "move":
      // Of a move that names one place the other is not known.
      return { _tag: "Edit", paths: paths.length < 2 ? [] : paths }
    case "fetch":
      return { _tag: "Network", host: null }
    default:
      // A title alone makes nothing an MCP tool that is something else by its kind.
      return mcp === null ? { _tag: "Other" } : mcpTool(mcp)
  }
}

const mcpTool = ({ server, tool }: McpName): RequestedAction => ({ _tag: "McpTool", server, tool })

/**
 * A list is run without a shell, but for the shell that it may begin with. What is there and can't be read as a command
 * is one all the same, which no rule knows.
 */
const commandLineIn = (input: JsonObject): CommandLine | null => {
  const program = input["command"] ?? input["cmd"] ?? input["script"] ?? null
  if (program === null || program === "") return null
  const rest = input["args"] ?? input["arguments"] ?? null
  const command = rest === null ? program : [program, ...(Array.isArray(rest) ? rest : [rest])]
  const { argv, text } = readCommand(command) ?? { argv: null, text: JSON.stringify(command) }
  const entries = Object.entries(input).filter(([, value]) => value !== null)
  return {
    text,
    argv: entries.every(([key]) => plainKeys.test(key) || directoryKey.test(key)) ? argv : null,
    directories: entries.flatMap(([key, value]) => (directoryKey.test(key) ? (nonEmptyTextIn(value) ?? []) : []))
  }
}

/**
 * Fields beside a command that do not change what runs. With any other one (`env`, `stdin`, a shell) it is no command that
 * a rule knows, so what a later version of an agent adds is asked for.
 */
const plainKeys =
  /^(?:command|cmd|script|args|arguments|description|title|reason|justification|timeout\w*|(?:run_in_|is_)?background|yield_time_ms|max_output_tokens|additionalPermissions|with_escalated_permissions|sandbox_permissions)$/

/** The field that says where a command runs. */
const directoryKey = /^(?:cwd|workdir|(?:working|dir)_?(?:directory|dir|path)?|directory)$/i

const readCommand = (command: unknown): Pick<CommandLine, "argv" | "text"> | null => {
  if (Array.isArray(command)) {
    const argv = command.filter((word) => typeof word === "string")
    if (argv.length === 0 || argv.length < command.length) return null
    const [program = "", option = "", script] = argv
    if (isSystemShell(program) && argv.length === 3 && script !== undefined && /^-l?c$/.test(option))
      return { text: script, argv: simpleCommand(script) }
    const isShell = /(?:^|\/)(?:ba|z|da)?sh$/.test(program)
    return { text: argv.join(" "), argv: isShell ? null : argv }
  }
  const text = nonEmptyTextIn(command)
  return text === null ? null : { text, argv: simpleCommand(unwrapped(text)) }
}

/** A pattern of a search that names no path. */
const searchesHere = (input: JsonObject): boolean =>
  nonEmptyTextIn(input["pattern"]) !== null && input["path"] === undefined

/** What files are found by: `**\/*.ts`. */
const patternsIn = (input: JsonObject): ReadonlyArray<string> =>
  Object.entries(input).flatMap(([key, value]) =>
    /(?:pattern|glob|include)s?$/i.test(key)
      ? (Array.isArray(value) ? value : [value]).flatMap((pattern) => nonEmptyTextIn(pattern) ?? [])
      : []
  )

/** Braces are alternatives: `{a,/etc}/*`. */
const leadsOut = /(?:^|[{,])[/~]|\.\.(?:[/\\},]|$)/

/**
 * Names of fields that hold a path, or several: `file_path`, `filePath`, `paths`, `notebook_path`, `cwd`, and both ends of
 * a move. One that holds something else is taken for a file of the session's directory.
 */
const pathKey =
  /(?:path|file|filename|directory|dir|cwd|folder|root|uri|location|source|src|destination|dest|target|output|from|to)s?$/i
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

/** Any other field may have it work elsewhere: `isolation: "worktree"` writes into the repository. */
const delegationKeys = /^(?:description|prompt|subagent_type|model|run_in_background|name|resume|max_turns)$/

const delegatesIn = (call: JsonObject, input: JsonObject): boolean | null => {
  const keys = Object.keys(input)
  const isDelegation = /^(?:Agent|Task)$/.test(toolNameIn(call) ?? "") && keys.length > 0
  return isDelegation ? keys.every((key) => delegationKeys.test(key)) : null
}

/** Claude's own name of the tool that is called. */
const toolNameIn = (call: JsonObject) => nonEmptyTextIn(at(call, "_meta", "claudeCode", "toolName"))

/** Claude's name of a tool of an MCP server is `mcp__server__tool`; codex-acp says both in the input. */
const mcpIn = (call: JsonObject): McpName | null => {
  if (at(call, "_meta", "is_mcp_tool_call") === true) {
    const { server, tool } = objectIn(call["rawInput"])
    if (typeof server === "string" && typeof tool === "string") return { server, tool, isCertain: true }
  }
  const toolName = toolNameIn(call)
  const [, server, tool] = /^mcp__(.+?)__(.+)$/.exec(toolName ?? nonEmptyTextIn(call["title"]) ?? "") ?? []
  return server === undefined || tool === undefined ? null : { server, tool, isCertain: toolName !== null }
}
