/**
 * The agents that sessions can be created with: which there are, which one is the default, and whether each works.
 *
 * This is all that a caller may ask about agents. Opening one is left to the supervisor.
 */
import { Context, Effect, Layer } from "effect"
import { Agents } from "../agent/Agents.ts"
import type { AgentView, Diagnosis, MissingAgent } from "../agent/Agents.ts"
import { Processes } from "../agent/Processes.ts"
import { protocols } from "../agent/protocols.ts"
import type { UnknownAgent } from "../domain/Refusal.ts"
import type { AgentSpec, AgentsMisconfigured, Settings } from "../domain/Settings.ts"

export type { AgentView, Diagnosis, MissingAgent } from "../agent/Agents.ts"

export class AgentDirectory extends Context.Service<
  AgentDirectory,
  {
    /** The configured agents and the built-in ones; of `acpx:<name>` those that are installed. At most 60 s old. */
    readonly list: Effect.Effect<ReadonlyArray<AgentView>>
    /** The agent of a session that is created without one. */
    readonly defaultName: Effect.Effect<string, UnknownAgent>
    /** Those of the configured agents and the default one that are not installed; the default is first. At most 5 s old. */
    readonly missing: Effect.Effect<ReadonlyArray<MissingAgent>>
    /**
     * Starts each available agent once, performs the handshake, ends it; no model is called. `null`: all that `list`
     * has; a name that no agent has gives nothing.
     */
    readonly diagnose: (name: string | null) => Effect.Effect<ReadonlyArray<Diagnosis>>
  }
>()("troupe/services/AgentDirectory") {
  static readonly layer: Layer.Layer<AgentDirectory, never, Agents> = Layer.effect(
    AgentDirectory,
    Effect.map(Agents, ({ diagnose, driver, list, missing }) =>
      AgentDirectory.of({ diagnose, list, missing, defaultName: Effect.map(driver(null), ({ name }) => name) })
    )
  )

  /** Whether a specification says what to launch. It need not where its protocol has one program. */
  static readonly saysWhatToLaunch = ({ command, protocol, registry }: AgentSpec): boolean =>
    command !== undefined || registry !== undefined || protocols[protocol].hasOwnProgram

  /** Without a runtime: looks at the programs of this machine, and neither needs nor makes a data dir. */
  static readonly layerAlone = ({
    agents,
    defaultAgent
  }: Pick<Settings, "agents" | "defaultAgent">): Layer.Layer<AgentDirectory, AgentsMisconfigured> =>
    this.layer.pipe(
      Layer.provide(Agents.layer({ agents, defaultAgent, dataDir: ":memory:" })),
      Layer.provide(Processes.layer)
    )
}
