/**
 * The body of `POST /v1/responses`: which parameters are taken, and what is said to the others. A parameter without a counterpart
 * is refused with the reason, unless its value asks for nothing.
 */
import { isAbsolute } from "node:path"
import type { McpServerOrName } from "../../domain/McpServer.ts"
import { McpServer } from "../../domain/McpServer.ts"
import { nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { JsonObject, JsonRecord } from "../../domain/json.ts"
import { PermissionPolicy } from "../../domain/Permissions.ts"
import { Schema } from "effect"
import { readAnswers } from "./approvals.ts"
import type { ApprovalAnswer } from "./approvals.ts"
import { badBody, invalid, unknownParameter, unsupported } from "./errors.ts"
import { readInput } from "./input.ts"
import type { GivenInput } from "./input.ts"

export interface ResponseRequest {
  /** `null`: that of the session, or the default one. */
  readonly agent: string | null
  readonly model: string | null
  readonly input: GivenInput
  /** The input is answers to what a response asks; `null`: it is something new. */
  readonly answers: ReadonlyArray<ApprovalAnswer> | null
  readonly previous: string | null
  readonly background: boolean
  readonly store: boolean
  readonly stream: boolean
  readonly effort: string | null
  readonly outputSchema: JsonRecord | null
  readonly opening: Opening
}

/** What a session is opened with: a later response of it takes the same, or nothing. */
export interface Opening {
  readonly instructions: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly mcpServers: ReadonlyArray<McpServerOrName>
  readonly cwd: string | undefined
  readonly permissions: PermissionPolicy | undefined
}

type AsksNothing = (value: unknown) => boolean

const never: AsksNothing = () => false
const oneOf =
  (...values: ReadonlyArray<unknown>): AsksNothing =>
  (value) =>
    values.includes(value)
const isText: AsksNothing = (value) => typeof value === "string"

/** Why each is not taken, and which values of it ask for nothing. `null` never does. */
const withoutCounterpart: Readonly<Record<string, readonly [why: string, asksNothing: AsksNothing]>> = {
  conversation: ["has no counterpart: previous_response_id goes on with a session.", never],
  context_management: ["has no counterpart: agents make room in their context by themselves.", never],
  include: [
    "has no counterpart: everything that there is is included.",
    (value) => Array.isArray(value) && value.length === 0
  ],
  max_output_tokens: ["has no counterpart: an agent calls its model as often as it needs.", never],
  max_tool_calls: ["has no counterpart: an agent calls its tools as often as it needs.", never],
  parallel_tool_calls: ["must be a boolean.", oneOf(true, false)],
  prompt: ["has no counterpart: send input and instructions.", never],
  prompt_cache_key: ["must be text.", isText],
  prompt_cache_retention: ["must be in_memory or 24h.", oneOf("in_memory", "24h")],
  safety_identifier: ["must be text.", isText],
  service_tier: ["has no counterpart: the agent's account decides.", oneOf("auto", "default")],
  stream_options: ["takes include_obfuscation: false.", (value) => objectIn(value)["include_obfuscation"] !== true],
  temperature: ["has no counterpart: the agent decides how it calls its model.", oneOf(1)],
  tool_choice: ["has no counterpart: the agent chooses its tools.", oneOf("auto")],
  top_logprobs: ["has no counterpart: agents do not tell.", oneOf(0)],
  top_p: ["has no counterpart: the agent decides how it calls its model.", oneOf(1)],
  truncation: ["must be auto or disabled.", oneOf("auto", "disabled")],
  user: ["must be text.", isText]
}

const taken = [
  "background",
  "input",
  "instructions",
  "metadata",
  "model",
  "previous_response_id",
  "reasoning",
  "store",
  "stream",
  "text",
  "tools"
] as const

export const readRequest = (body: unknown): ResponseRequest => {
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw badBody("must be a JSON object.")
  const given = body as JsonObject
  for (const [name, value] of Object.entries(given)) check(name, value)
  const { agent, model } = readModel(given["model"])
  const store = flag(given, "store", true)
  const background = flag(given, "background", false)
  const previous = textOrNull(given, "previous_response_id")
  if (!store && background) throw invalid("background", "needs store: true, or nobody could ask for the response.")
  if (!store && previous !== null) {
    throw unsupported("store", "must be true with previous_response_id: the session is kept with the responses before.")
  }
  const answers = readAnswers(given["input"])
  const input = answers === null ? readInput(given["input"]) : nothingNew
  return {
    answers,
    agent,
    model,
    input,
    previous,
    background,
    store,
    stream: flag(given, "stream", false),
    effort: readReasoning(given["reasoning"]),
    outputSchema: readText(given["text"]),
    opening: readOpening(given, input)
  }
}

const nothingNew: GivenInput = { prompt: [], files: [], uploads: [], history: [], system: [] }

const check = (name: string, value: unknown): void => {
  if ((taken as ReadonlyArray<string>).includes(name)) return
  const known = Object.hasOwn(withoutCounterpart, name) ? withoutCounterpart[name] : undefined
  if (known === undefined) {
    throw unknownParameter(name, name, [...taken, ...Object.keys(withoutCounterpart)], " of responses")
  }
  const [why, asksNothing] = known
  if (value !== null && !asksNothing(value)) throw unsupported(name, why)
}

const readModel = (model: unknown) => {
  if (model === undefined || model === null) return { agent: null, model: null }
  if (typeof model !== "string" || model === "") throw invalid("model", "must be the name of an agent, or agent/model.")
  const slash = model.indexOf("/")
  return slash === -1
    ? { agent: model, model: null }
    : { agent: model.slice(0, slash), model: nonEmptyTextIn(model.slice(slash + 1)) }
}

const flag = (given: JsonObject, name: string, otherwise: boolean): boolean => {
  const value = given[name] ?? otherwise
  if (typeof value !== "boolean") throw invalid(name, "must be true or false.")
  return value
}

const textOrNull = (given: JsonObject, name: string): string | null => {
  const value = given[name] ?? null
  if (value !== null && (typeof value !== "string" || value === "")) throw invalid(name, "must be text.")
  return value
}

/** A summary is what the agent says of its thoughts, whichever was asked for. */
const readReasoning = (reasoning: unknown): string | null => {
  const { effort = null, generate_summary: _, summary: _summary, ...rest } = objectIn(reasoning)
  const [other] = Object.entries(rest).find(([, value]) => value !== null) ?? []
  if (other !== undefined) throw unsupported(`reasoning.${other}`, "has no counterpart.")
  if (effort !== null && typeof effort !== "string") throw invalid("reasoning.effort", "must be text.")
  return effort
}

const readText = (text: unknown): JsonRecord | null => {
  const { format, verbosity = "medium", ...rest } = objectIn(text)
  const [other] = Object.keys(rest)
  if (other !== undefined) throw unsupported(`text.${other}`, "has no counterpart.")
  if (verbosity !== "medium" && verbosity !== null)
    throw unsupported("text.verbosity", "has no counterpart: say it in the input.")
  const { schema, type = "text" } = objectIn(format)
  if (type === "text") return null
  if (type !== "json_schema") throw unsupported("text.format.type", "must be text or json_schema.")
  if (typeof schema !== "object" || schema === null) throw invalid("text.format.schema", "must be a JSON Schema.")
  return schema as JsonRecord
}

const maxMetadata = 16

const readOpening = (given: JsonObject, input: GivenInput): Opening => {
  const metadata = given["metadata"] ?? {}
  if (typeof metadata !== "object" || Array.isArray(metadata)) throw invalid("metadata", "must be an object.")
  const entries = Object.entries(metadata as JsonObject)
  if (entries.length > maxMetadata) throw invalid("metadata", `may have ${maxMetadata} keys.`)
  for (const [key, value] of entries) {
    if (typeof value !== "string" || value.length > 512 || key.length > 64) {
      throw invalid(
        `metadata.${key.slice(0, 64)}`,
        "must be text of at most 512 characters, under a key of at most 64."
      )
    }
  }
  const { cwd, permissions } = metadata as Readonly<Record<string, string>>
  if (cwd !== undefined && !isAbsolute(cwd)) {
    throw invalid(
      "metadata.cwd",
      "must be an absolute path of a directory on the server. Without it the session has a fresh one."
    )
  }
  if (permissions !== undefined && !isPolicy(permissions)) {
    throw invalid("metadata.permissions", `must be one of ${PermissionPolicy.literals.join(", ")}.`)
  }
  const parts = [textOrNull(given, "instructions"), ...input.system].filter((text) => text !== null)
  return {
    instructions: parts.length === 0 ? null : parts.join("\n\n"),
    metadata: metadata as Readonly<Record<string, string>>,
    mcpServers: readTools(given["tools"] ?? []),
    cwd,
    permissions
  }
}

const isPolicy = Schema.is(PermissionPolicy)
const isMcpServer = Schema.is(McpServer)

/** Of OpenAI's kinds of tools one is an agent's, too: MCP servers. */
const readTools = (tools: unknown): ReadonlyArray<McpServerOrName> => {
  if (!Array.isArray(tools)) throw invalid("tools", "must be a list.")
  return tools.map((value, index) => {
    const tool = objectIn(value)
    const at = `tools[${index}]`
    if (tool["type"] !== "mcp") {
      throw unsupported(at, "has no counterpart: an agent has tools of its own. It takes further ones of type mcp.")
    }
    const { headers, server_label: name, server_url: url } = tool
    const server = { name, type: "http", url, ...(headers === undefined || headers === null ? {} : { headers }) }
    if (!isMcpServer(server)) {
      throw invalid(
        at,
        "must have a server_label of 1 to 64 letters, digits, _ or -, and a server_url; headers are texts."
      )
    }
    return server
  })
}
