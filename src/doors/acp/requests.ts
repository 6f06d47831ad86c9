/** The protocol's requests as Troupe's: a new session, its MCP servers, a prompt. */
import type { ContentBlock as AcpBlock, McpServer as AcpServer, NewSessionRequest } from "@agentclientprotocol/sdk"
import { Schema } from "effect"
import type { McpServer } from "../../domain/McpServer.ts"
import { Permissions } from "../../domain/Permissions.ts"
import { imageTypes } from "../../domain/PromptContent.ts"
import type { ContentBlock, ImageType } from "../../domain/PromptContent.ts"
import { schemaProblem } from "../../domain/schemaProblem.ts"
import type { CreateSession, Questions } from "../../domain/Session.ts"
import { invalid } from "./errors.ts"
import type { Sdk } from "./sdk.ts"

/** What sessions of a connection begin with, where the client says nothing else. */
export interface Defaults {
  readonly agent?: string | undefined
  readonly model?: string | undefined
  readonly mode?: string | undefined
  readonly effort?: string | undefined
  readonly permissions: Permissions
}

/** `_meta.troupe` of `session/new`: what the protocol has no field for. */
const Asked = Schema.Struct({
  agent: Schema.optionalKey(Schema.String),
  model: Schema.optionalKey(Schema.String),
  mode: Schema.optionalKey(Schema.String),
  effort: Schema.optionalKey(Schema.String),
  permissions: Schema.optionalKey(Permissions),
  systemPrompt: Schema.optionalKey(Schema.String)
})

export const newSession = (
  sdk: Sdk,
  { _meta, additionalDirectories, cwd, mcpServers }: NewSessionRequest,
  defaults: Defaults,
  { client, questions }: { readonly client: string | null; readonly questions: Questions }
): CreateSession => {
  const { agent, effort, mode, model, permissions } = defaults
  return {
    agent,
    effort,
    mode,
    model,
    permissions,
    ...askedIn(sdk, _meta?.["troupe"]),
    cwd,
    questions,
    ...(mcpServers.length === 0 ? {} : { mcpServers: mcpServers.map((server) => mcpServer(sdk, server)) }),
    ...(additionalDirectories === undefined || additionalDirectories.length === 0 ? {} : { additionalDirectories }),
    ...(client === null ? {} : { meta: { client } })
  }
}

const decode = Schema.decodeUnknownResult(Asked)

const askedIn = (sdk: Sdk, meta: unknown): typeof Asked.Type => {
  if (meta === undefined || meta === null) return {}
  const decoded = decode(meta, { errors: "all", onExcessProperty: "error" })
  if (decoded._tag === "Success") return decoded.success
  throw invalid(sdk, schemaProblem(decoded.failure.issue, { whole: "_meta.troupe", member: "field" }))
}

/** An editor names its servers for people; agents call them by letters, digits, `_` and `-`. */
const serverName = (name: string) => name.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 64)

const mcpServer = (sdk: Sdk, server: AcpServer): McpServer => {
  const name = serverName(server.name)
  if ("command" in server) {
    const { args, command, env } = server
    return { name, command, args, ...(env.length === 0 ? {} : { env: record(env) }) }
  }
  if (server.type !== "http" && server.type !== "sse") {
    const type = String((server as { readonly type: unknown }).type)
    throw invalid(sdk, `mcpServers: ${name} is of the type ${type}; Troupe's agents take stdio, http and sse.`)
  }
  const { headers, type, url } = server
  return { name, type, url, ...(headers.length === 0 ? {} : { headers: record(headers) }) }
}

const record = (pairs: ReadonlyArray<{ readonly name: string; readonly value: string }>) =>
  Object.fromEntries(pairs.map(({ name, value }) => [name, value]))

const isImageType = (type: string): type is ImageType => imageTypes.some((known) => known === type)

/** A prompt that is text alone is a text, as an app sends it. */
export const promptOf = (sdk: Sdk, blocks: ReadonlyArray<AcpBlock>): string | ReadonlyArray<ContentBlock> => {
  if (blocks.every((block) => block.type === "text")) return blocks.map(({ text }) => text).join("\n\n")
  return blocks.map((block, nth) => promptBlock(sdk, block, `prompt[${nth}]`))
}

const promptBlock = (sdk: Sdk, block: AcpBlock, field: string): ContentBlock => {
  switch (block.type) {
    case "text":
      return { type: "text", text: block.text }
    case "image": {
      const { data, mimeType } = block
      if (isImageType(mimeType)) return { type: "image", mimeType, data }
      throw invalid(sdk, `${field} is an image of the type ${mimeType}; it takes ${imageTypes.join(", ")}.`)
    }
    case "resource_link": {
      const { description, mimeType, name, size, title, uri } = block
      return { type: "resource_link", uri, name, ...present({ description, mimeType, size, title }) }
    }
    case "resource": {
      const { resource } = block
      if (!("text" in resource)) {
        throw invalid(sdk, `${field} is a resource of bytes; send its text, an image, or a link to it.`)
      }
      const { mimeType, text, uri } = resource
      return { type: "resource", resource: { uri, text, ...present({ mimeType }) } }
    }
    default:
      throw invalid(sdk, `${field} is of the type ${block.type}; it takes text, image, resource_link and resource.`)
  }
}

type Present<A> = { readonly [K in keyof A]?: NonNullable<A[K]> }

/** Without what is absent or `null`. */
const present = <A extends object>(fields: A) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as Present<A>
