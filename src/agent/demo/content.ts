/** What the demo agent makes of the content blocks of a prompt, and of the MCP servers of a session. */
import { accessSync, constants } from "node:fs"
import { isAbsolute } from "node:path"
import { codes, Fault } from "./wire.ts"

type Block = Readonly<Record<string, unknown>> | null

const object = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

const list = (value: unknown): ReadonlyArray<Block> => (Array.isArray(value) ? (value as ReadonlyArray<Block>) : [])

/** The texts of the blocks, without resources. */
export const textIn = (blocks: ReadonlyArray<Block>): string =>
  blocks
    .flatMap((block) => (block?.["type"] === "text" && typeof block["text"] === "string" ? [block["text"]] : []))
    .join("\n")

/** A line about each block that is no text. */
export const received = (blocks: ReadonlyArray<Block>): ReadonlyArray<string> =>
  blocks.flatMap((block) => {
    const { data, mimeType, name, resource, type, uri } = object(block)
    switch (type) {
      case "image":
        return [`an image, ${String(mimeType)}, ${Buffer.from(String(data), "base64").length} bytes`]
      case "resource_link":
        return [`a link to ${String(name)}, ${String(uri)}`]
      case "resource": {
        const { text, uri } = object(resource)
        return [`the resource ${String(uri)}, ${String(text ?? "").length} characters`]
      }
      default:
        return []
    }
  })

export interface Server {
  readonly name: string
  readonly transport: string
  /** Its program is not there. */
  readonly isMissing: boolean
}

/** The servers of a request that opens a session. None is started: the demo only says which it was given. */
export const serversIn = (mcpServers: unknown): ReadonlyArray<Server> => {
  if (!Array.isArray(mcpServers)) throw new Fault(codes.invalidParams, "mcpServers is an array")
  return list(mcpServers).map((server) => {
    const { command, name, type = "stdio" } = object(server)
    const isMissing = type === "stdio" && typeof command === "string" && isAbsolute(command) && !isProgram(command)
    return { name: String(name), transport: String(type), isMissing }
  })
}

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export const directoriesIn = (additionalDirectories: unknown): ReadonlyArray<string> => {
  const directories: ReadonlyArray<unknown> = Array.isArray(additionalDirectories) ? additionalDirectories : []
  if (!directories.every((path) => typeof path === "string" && isAbsolute(path))) {
    throw new Fault(codes.invalidParams, "additionalDirectories are absolute paths")
  }
  return directories as ReadonlyArray<string>
}
