/** docs/agents.md: what each kind of agent inherits of Troupe's environment, and what its configuration takes. */
import * as Needs from "../../src/agent/needs.ts"
import type { AgentSpec } from "../../src/domain/Settings.ts"
import { code, table } from "./blocks.ts"

const kinds: ReadonlyArray<readonly [title: string, needs: Needs.Needs]> = [
  ["`codex` (app-server)", Needs.codex],
  ["`claude`", Needs.claude],
  ...["gemini", "opencode", "copilot", "cursor", "qwen"].map((name) => [code(name), Needs.ofRegistry(name)] as const),
  ["one with a `command` of yours", Needs.custom]
]

const inherited = ({ inherited, noSecrets }: Needs.Needs) =>
  `${inherited.map(code).join(", ")}${noSecrets === true ? "; of the names with `*` none that looks like a secret" : ""}`

/** A key without its line does not compile. */
const keys: Readonly<Record<keyof typeof AgentSpec.fields, string>> = {
  protocol: "`codex-app-server`, `acp` or `acpx`.",
  command: "The program and its arguments, as a list.",
  registry: "In place of `command`: a name in acpx's registry, such as `gemini`.",
  env: "Variables that are set for the agent, unchanged.",
  inheritEnv: "Names of variables that the agent gets from Troupe's environment. `AWS_*` names all that begin so.",
  sessionEnv: "Names of variables that an app may set for a session (`env`).",
  authMethod: "For `acp`: the login method, by its id. Without it only a method that needs no person is tried.",
  startTimeout: "For `acp`: how long it may take to get ready, such as `2 minutes`. Else 45 seconds.",
  trustedRoots: "Absolute directories below which the agent takes settings, hooks and MCP servers from the repository.",
  sandbox: "`danger-full-access`: codex runs without its sandbox, with `approve_all` only."
}

export const agentBlocks = {
  environment: table(
    ["agent", "gets from Troupe's environment"],
    kinds.map(([title, needs]) => [title, inherited(needs)])
  ),
  configuration: table(
    ["key", "what it does"],
    Object.entries(keys).map(([key, does]) => [code(key), does])
  )
}
