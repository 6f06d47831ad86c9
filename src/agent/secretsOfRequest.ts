/** The secrets that a session brings for its agent: its variables, and what its MCP servers get to authenticate. */
import { secretsOfServer } from "../domain/McpServer.ts"
import type { OpenRequest } from "./Agent.ts"
import { secretForms } from "./redact.ts"

/** In all their forms, for `redact`, and for `SpawnSpec.secrets` beside those of the agent's configuration. */
export const secretsOfRequest = ({ env, mcpServers }: Pick<OpenRequest, "env" | "mcpServers">): ReadonlyArray<string> =>
  secretForms([...Object.values(env), ...mcpServers.flatMap(secretsOfServer)])
