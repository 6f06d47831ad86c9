/** The body of `sessions.create` and `sessions.update`: what is asked for, or why it can't be. */
import { isAbsolute } from "node:path"
import { Schema } from "effect"
import type {
  SessionCreateParams,
  SessionCreateParamsBase,
  SessionUpdateParams
} from "openai/resources/beta/agents/sessions/sessions"
import { objectIn } from "../../domain/json.ts"
import type { JsonObject, JsonRecord } from "../../domain/json.ts"
import type { McpServerOrName } from "../../domain/McpServer.ts"
import { PermissionPolicy } from "../../domain/Permissions.ts"
import type { SessionSettings } from "../../domain/Session.ts"
import { invalid, unsupported } from "../responses/errors.ts"
import { readMessages } from "./messages.ts"
import type { Prompt } from "./messages.ts"
import {
  checkParameters,
  emptyList,
  fields,
  flag,
  never,
  oneOf,
  readMetadata,
  taken,
  textOrNull
} from "./parameters.ts"
import type { Parameters } from "./parameters.ts"
import { readTools } from "./tools.ts"

export interface Opening extends AgentWishes {
  /** `null`: a fresh one. */
  readonly cwd: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly permissions: PermissionPolicy | undefined
  readonly input: Prompt | null
  readonly isStream: boolean
}

interface AgentWishes {
  /** `null`: the default one. */
  readonly agent: string | null
  readonly model: string | null
  readonly instructions: string | null
  readonly effort: string | null
  readonly schema: JsonRecord | null
  readonly mcpServers: ReadonlyArray<McpServerOrName>
}

const review = ["has no counterpart: what an agent may do is said by metadata.permissions.", oneOf("none")] as const
const spending = [
  "has no counterpart: the operator limits what an app may use.",
  fields({ limit: oneOf(null) })
] as const
const serviceTier = ["has no counterpart: the agent's account decides.", oneOf("auto", "default")] as const

const opening: Parameters<SessionCreateParamsBase> = {
  agent: taken,
  agent_id: taken,
  environment: taken,
  input: taken,
  metadata: taken,
  stream: taken,
  review,
  spend_control: spending,
  vault_ids: ["has no counterpart: give an MCP server its credentials in its transport.", emptyList]
}

const agentParameters: Parameters<SessionCreateParams.Agent> = {
  instructions: taken,
  model: taken,
  reasoning: taken,
  text: taken,
  tools: taken,
  compaction: ["has no counterpart: agents make room in their context by themselves.", fields({ async: oneOf(true) })],
  experimental: ["has no counterpart: an agent knows the time by itself.", fields({ time_awareness: oneOf(false) })],
  multi_agent: [
    "has no counterpart: an agent uses sub-agents of its own as it likes.",
    fields({ enabled: oneOf(false), max_concurrent_subagents: oneOf(null) })
  ],
  service_tier: serviceTier
}

export const readOpening = (body: unknown): Opening => {
  const given = checkParameters(body, opening)
  const isStream = flag(given, "stream")
  const input = given["input"] === undefined || given["input"] === null ? null : readMessages(given["input"], "input")
  if (isStream && input === null)
    throw invalid("input", "is missing: a stream of a creation is that of its first turn.")
  const metadata = readMetadata(given["metadata"])
  const { permissions } = metadata
  if (permissions !== undefined && !isPolicy(permissions)) {
    throw invalid("metadata.permissions", `must be one of ${PermissionPolicy.literals.join(", ")}.`)
  }
  return {
    ...readAgent(given["agent"] ?? {}, textOrNull(given, "agent_id")),
    cwd: readEnvironment(given["environment"]),
    metadata,
    permissions,
    input,
    isStream
  }
}

const isPolicy = Schema.is(PermissionPolicy)

/** Without an id the model is an agent, or agent/model, as for `/v1/responses`. */
const readAgent = (value: unknown, id: string | null): AgentWishes => {
  const given = checkParameters(value, agentParameters, "agent")
  const named = textOrNull(given, "model", "agent.model")
  const [agent = null, ...rest] = (id ?? named ?? "").split("/")
  if (agent !== "" && rest.length > 0 && rest.join("") === "") {
    throw invalid(id === null ? "agent.model" : "agent_id", "must be an agent, or agent/model.")
  }
  const ofId = rest.length === 0 ? null : rest.join("/")
  if (id !== null && ofId !== null && named !== null) {
    throw invalid("agent.model", "can't go with an agent_id that names a model, too.")
  }
  return {
    agent: agent === "" ? null : agent,
    model: id === null ? ofId : (ofId ?? named),
    instructions: textOrNull(given, "instructions", "agent.instructions"),
    effort: readReasoning(given["reasoning"] ?? {}),
    schema: readText(given["text"] ?? {}),
    mcpServers: readTools(given["tools"] ?? [])
  }
}

const readReasoning = (value: unknown): string | null => {
  const given = checkParameters<Required<NonNullable<SessionCreateParams.Agent["reasoning"]>>>(
    value,
    { effort: taken, summary: ["has no counterpart: an agent shows the thoughts that it shows.", oneOf("auto")] },
    "agent.reasoning"
  )
  return textOrNull(given, "effort", "agent.reasoning.effort")
}

/** It is kept with the session. */
const maxSchemaCharacters = 32 * 1024

const readText = (value: unknown): JsonRecord | null => {
  const given = checkParameters<Required<NonNullable<SessionCreateParams.Agent["text"]>>>(
    value,
    { format: taken, verbosity: ["has no counterpart: say it in the instructions.", oneOf("medium")] },
    "agent.text"
  )
  const { schema, type = "text" } = objectIn(given["format"])
  if (type === "text") return null
  if (type !== "json_schema") throw unsupported("agent.text.format.type", "must be text or json_schema.")
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    throw invalid("agent.text.format.schema", "must be a JSON Schema.")
  }
  if (JSON.stringify(schema).length > maxSchemaCharacters) {
    throw invalid("agent.text.format.schema", `may have at most ${maxSchemaCharacters} characters as JSON.`)
  }
  return schema as JsonRecord
}

/** The directory that the agent works in; `null`: a fresh one. */
const readEnvironment = (value: unknown): string | null => {
  const given: JsonObject = objectIn(value)
  const { type } = given
  if (type === "none") {
    checkParameters(value, { type: taken }, "environment")
    return null
  }
  if (type === "openai_hosted") {
    throw unsupported(
      "environment.type",
      "has no counterpart as openai_hosted: agents work on the server's machine. Send none for a fresh directory, or self_hosted with its workspace_directory."
    )
  }
  if (type !== "self_hosted") throw invalid("environment.type", "must be none or self_hosted.")
  checkParameters(
    value,
    {
      type: taken,
      workspace_directory: taken,
      capability_directories: ["has no counterpart: agents find skills where they look for them.", emptyList]
    },
    "environment"
  )
  const directory = given["workspace_directory"]
  if (typeof directory === "string" && isAbsolute(directory)) return directory
  throw invalid("environment.workspace_directory", "must be an absolute path of a directory on the server.")
}

const kept = "is what the session was opened with, and stays so. Open another one."

const updating: Parameters<SessionUpdateParams> = {
  agent: taken,
  metadata: taken,
  review,
  spend_control: spending
}

const updatingAgent: Parameters<SessionUpdateParams.Agent> = {
  model: taken,
  reasoning: taken,
  service_tier: serviceTier,
  tools: [kept, never]
}

/** `metadata`: what the session has, which is all that it can have. */
export const readUpdate = (body: unknown, metadata: Readonly<Record<string, string>>): SessionSettings => {
  const given = checkParameters(body, updating)
  if (given["metadata"] !== undefined && !isSame(readMetadata(given["metadata"]), metadata)) {
    throw unsupported("metadata", kept)
  }
  const agent = checkParameters(given["agent"] ?? {}, updatingAgent, "agent")
  const model = textOrNull(agent, "model", "agent.model")
  const reasoning = checkParameters(agent["reasoning"] ?? {}, { effort: taken }, "agent.reasoning")
  return {
    ...(model === null ? {} : { model }),
    ...(reasoning["effort"] === undefined ? {} : { effort: textOrNull(reasoning, "effort", "agent.reasoning.effort") })
  }
}

const isSame = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  JSON.stringify(Object.entries(a).toSorted()) === JSON.stringify(Object.entries(b).toSorted())
