/** What the specification of an agent says about the Agent Client Protocol. */
import type { AgentSpec } from "../../domain/Settings.ts"

export type AcpSpec = Pick<AgentSpec, "authMethod" | "registry" | "startTimeout" | "trustedRoots">
