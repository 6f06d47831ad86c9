/** The official package of the Agent Client Protocol: the program carries it, a library's host installs it. */
import type * as AcpSdk from "@agentclientprotocol/sdk"
import type * as AcpTransports from "@agentclientprotocol/sdk/experimental/server"
import { isMissing, missingPackage } from "../../domain/optionalPackage.ts"
import { TroupeError } from "../../backend/TroupeError.ts"

export type Sdk = typeof AcpSdk
export type Transports = typeof AcpTransports

export const loadSdk = (): Promise<Sdk> => import("@agentclientprotocol/sdk").catch(explained)

/** Streamable HTTP and WebSocket. */
export const loadTransports = (): Promise<Transports> =>
  import("@agentclientprotocol/sdk/experimental/server").catch(explained)

const explained = (cause: unknown): never => {
  const name = "@agentclientprotocol/sdk"
  const why = isMissing(cause, name)
    ? missingPackage("The Agent Client Protocol needs", name)
    : `The package ${name} can't be loaded: ${cause instanceof Error ? cause.message : String(cause)}`
  throw new TroupeError({ code: "not_supported", status: 422, message: why, cause })
}
