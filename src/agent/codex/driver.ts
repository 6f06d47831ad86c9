/** The driver of `codex app-server` (0.169 to 0.171): one process with one thread for each session. */
import { Effect } from "effect"
import type { AgentDriver, DriverConfig } from "../Agent.ts"
import { Processes } from "../Processes.ts"
import * as Connection from "./connection.ts"
import * as ConversationFiles from "./conversationFiles.ts"
import { withFreshLogin } from "./freshLogin.ts"
import { modeProblem } from "./modes.ts"
import { patience as defaultPatience } from "./patience.ts"
import type { Patience } from "./patience.ts"
import type { CodexSpec } from "./spec.ts"
import * as Start from "./start.ts"
import * as Threads from "./threads.ts"

/** `patience` is for tests, which have less of it. */
export const make = (
  config: DriverConfig,
  spec: CodexSpec = {},
  patience: Partial<Patience> = {}
): Effect.Effect<AgentDriver, never, Processes> =>
  Effect.map(Processes, (processes) => {
    const limits = { ...defaultPatience, ...patience }
    const open = withFreshLogin(
      (request) => Connection.open(processes, config, spec, request, limits),
      limits.freshLoginMillis
    )
    return {
      name: config.name,
      protocol: "codex-app-server",
      capabilities: Connection.capabilities,
      sharesLogin: true,
      modeProblem,
      threads: Threads.make(processes, config),
      spare: Start.spare(processes, config, spec, limits),
      conversations: ({ env }) => ConversationFiles.make({ ...config.env, ...env }),
      // No parent of what it forks, which lasts as long as the process: it would be kept as long.
      open: (request) => Effect.useSpan("Codex.open", () => open(request))
    }
  })
