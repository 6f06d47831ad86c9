/** The driver of `codex app-server` (0.169): one process with one thread for each session. */
import { Effect } from "effect"
import type { AgentDriver, DriverConfig } from "../Agent.ts"
import { Processes } from "../Processes.ts"
import * as Connection from "./connection.ts"

export const make = (config: DriverConfig): Effect.Effect<AgentDriver, never, Processes> =>
  Effect.map(Processes, (processes) => ({
    name: config.name,
    protocol: "codex-app-server",
    capabilities: Connection.capabilities,
    open: Effect.fn("Codex.open")((request) => Connection.open(processes, config, request))
  }))
