/** What the specification of an agent says about codex. */
import type { AgentSpec } from "../../domain/Settings.ts"

export type CodexSpec = Pick<AgentSpec, "sandbox" | "trustedRoots">
