/** The official SDK of the Model Context Protocol, loaded where it is used: an optional peer of the library. */
import type * as Server from "@modelcontextprotocol/server"
import type * as Stdio from "@modelcontextprotocol/server/stdio"
import { TroupeError } from "../../backend/TroupeError.ts"
import { isMissing, missingPackage } from "../../domain/optionalPackage.ts"

const packageName = "@modelcontextprotocol/server"

export type Sdk = typeof Server

export const loadSdk = (): Promise<Sdk> => import("@modelcontextprotocol/server").catch(notLoaded)
export const loadStdio = (): Promise<typeof Stdio> => import("@modelcontextprotocol/server/stdio").catch(notLoaded)

const notLoaded = (cause: unknown): never => {
  const message = isMissing(cause, packageName)
    ? missingPackage("An MCP server needs", packageName)
    : `The package ${packageName} can't be loaded: ${String(cause)}`
  throw new TroupeError({ code: "not_supported", status: 422, message, cause })
}
