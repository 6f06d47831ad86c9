/** Which agents there are: the configured ones, the built-in ones, and what was found on this machine. */
import { Context } from "effect"
import type { Effect } from "effect"
import type { UnknownAgent } from "../domain/Refusal.ts"
import type { AgentDriver, Capabilities } from "./Agent.ts"

/** One line of `GET /agents`. `hint` says the one thing to do where it is not available. */
export interface AgentView {
  readonly name: string
  readonly protocol: "codex-app-server" | "acp" | "acpx"
  readonly available: boolean
  readonly version: string | null
  readonly capabilities: Capabilities
  readonly hint: string | null
}

/** What `troupe doctor` prints of one agent: found, version, handshake, and what to do. */
export interface Diagnosis extends AgentView {
  readonly handshake:
    | { readonly ok: true; readonly millis: number }
    | { readonly ok: false; readonly message: string }
    | null
}

export class Agents extends Context.Service<
  Agents,
  {
    /** The driver of a name; `null` = the default agent. */
    readonly driver: (name: string | null) => Effect.Effect<AgentDriver, UnknownAgent>
    readonly list: Effect.Effect<ReadonlyArray<AgentView>>
    /** Starts each available agent once, shakes hands, ends it. */
    readonly diagnose: (name: string | null) => Effect.Effect<ReadonlyArray<Diagnosis>>
  }
>()("troupe/agent/Agents") {}
