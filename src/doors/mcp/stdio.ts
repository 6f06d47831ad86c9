/** The MCP server on the stdin and stdout of this process, for one host. */
import type { Backend } from "../../backend/Backend.ts"
import { loadSdk, loadStdio } from "./sdk.ts"
import { makeServer } from "./server.ts"
import type { Defaults } from "./server.ts"

export interface StdioServer {
  /** Resolves when the host has closed stdin, or is gone. */
  readonly ended: Promise<void>
  readonly close: () => Promise<void>
}

export const serveStdio = async (
  backend: Backend,
  defaults: Defaults,
  onError: (error: Error) => void
): Promise<StdioServer> => {
  const [sdk, { serveStdio }] = await Promise.all([loadSdk(), loadStdio()])
  const ended = Promise.withResolvers<void>()
  for (const event of ["end", "close", "error"]) process.stdin.once(event, () => ended.resolve())
  const { close } = serveStdio(() => makeServer(sdk, backend, defaults), { onerror: onError })
  return { ended: ended.promise, close }
}
