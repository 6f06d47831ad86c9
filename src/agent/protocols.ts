/**
 * The protocols of agents, one entry each. Nothing outside this table depends on a protocol's name.
 *
 * To add a protocol: its name in `Protocol` (domain/Settings.ts), its driver in a folder of its own, its entry here.
 */
import type { Effect } from "effect"
import { startMillisOf } from "../domain/Settings.ts"
import type { AgentSpec, Protocol } from "../domain/Settings.ts"
import * as Acp from "./acp/driver.ts"
import * as Acpx from "./acpx/driver.ts"
import type { AgentDriver, DriverConfig } from "./Agent.ts"
import * as Codex from "./codex/driver.ts"
import * as Launch from "./Launch.ts"
import * as Needs from "./needs.ts"
import type { Processes } from "./Processes.ts"

export interface AgentProtocol {
  /** Builds the driver of one agent. */
  readonly make: (config: DriverConfig, spec: AgentSpec) => Effect.Effect<AgentDriver, never, Processes>
  /** Finds the program of an agent whose specification names no command. Starts nothing. */
  readonly locate: (search: ProgramSearch) => Launch.Launch
  /** What its programs need of our environment. */
  readonly needs: (spec: Pick<AgentSpec, "registry">) => Needs.Needs
  /** Says why a specification can't work; `null`: it can. */
  readonly validate: (spec: AgentSpec) => SpecProblem | null
  /** The protocol has one program, so a specification need not say what to launch. */
  readonly hasOwnProgram: boolean
  /** Its program spends the OpenAI account that is in our environment, so a review of its sessions may spend it too. */
  readonly usesOpenAiAccount: boolean
}

export interface ProgramSearch {
  /** The agent's own name. */
  readonly name: string
  readonly spec: AgentSpec
  /** Where programs are looked for (`searchPath`). */
  readonly path: string | undefined
  /** The agent was configured by name, so its program may be downloaded when it starts. */
  readonly mayFetch: boolean
}

/** `key` is the setting that is wrong, below `agents.<name>`; `problem` completes the sentence that begins with it. */
export interface SpecProblem {
  readonly key: "" | `.${string}`
  readonly problem: string
}

const registryNames = `one of ${Launch.registered.join(", ")}`

const unknownRegistry = ({ registry }: AgentSpec): SpecProblem | null =>
  registry === undefined || Launch.registered.includes(registry)
    ? null
    : {
        key: ".registry",
        problem: `is ${JSON.stringify(registry)}, which acpx's registry does not know: it takes ${registryNames}.`
      }

const badStart = (spec: AgentSpec): SpecProblem | null =>
  startMillisOf(spec) === null
    ? {
        key: ".startTimeout",
        problem: `is ${JSON.stringify(spec.startTimeout)}: it takes a duration from "1 second" to "1 hour".`
      }
    : null

const sandboxOfCodexOnly = ({ sandbox }: AgentSpec): SpecProblem | null =>
  sandbox === undefined ? null : { key: ".sandbox", problem: "is for codex-app-server only. Leave it out." }

const ofAcpOnly = (spec: AgentSpec): SpecProblem | null => {
  const key = (["authMethod", "startTimeout"] as const).find((name) => spec[name] !== undefined)
  return key === undefined ? null : { key: `.${key}`, problem: "is for acp only. Leave it out." }
}

export const protocols: Readonly<Record<Protocol, AgentProtocol>> = {
  "codex-app-server": {
    make: (config, spec) => Codex.make(config, spec),
    locate: ({ path }) => Launch.ofCodex(path),
    needs: () => Needs.codex,
    validate: ({ registry, ...spec }) =>
      registry === undefined
        ? ofAcpOnly(spec)
        : {
            key: ".registry",
            problem: `is for acp and acpx only. Say what to start with "command", or leave both out.`
          },
    hasOwnProgram: true,
    usesOpenAiAccount: true
  },
  acp: {
    make: Acp.make,
    locate: ({ mayFetch, name, path, spec }) => Launch.ofRegistry(spec.registry ?? name, path, { mayFetch }),
    needs: ({ registry }) => Needs.ofRegistry(registry),
    validate: (spec) =>
      unknownRegistry(spec) ??
      sandboxOfCodexOnly(spec) ??
      ((spec.command === undefined) === (spec.registry === undefined)
        ? {
            key: "",
            problem: `takes either "command" (such as ["claude-agent-acp"]) or "registry" (such as "gemini").`
          }
        : null) ??
      badStart(spec),
    hasOwnProgram: false,
    usesOpenAiAccount: false
  },
  acpx: {
    make: (config, { registry, trustedRoots }) =>
      Acpx.make({ ...config, agent: registry ?? config.name, trustedRoots }),
    locate: ({ mayFetch, name, path, spec }) =>
      mayFetch ? Launch.ofAcpx(path) : Launch.behindAcpx(spec.registry ?? name, path),
    needs: ({ registry }) => {
      const needs = Needs.ofRegistry(registry)
      return { ...needs, inherited: [...needs.inherited, "ACPX_*"] }
    },
    validate: (spec) =>
      unknownRegistry(spec) ??
      ofAcpOnly(spec) ??
      sandboxOfCodexOnly(spec) ??
      (spec.registry === undefined
        ? { key: ".registry", problem: `is missing: it says which agent acpx is to talk to, ${registryNames}.` }
        : null),
    hasOwnProgram: false,
    usesOpenAiAccount: false
  }
}
