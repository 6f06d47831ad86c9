/**
 * An agent, as the rest of the program sees it: open a connection, prompt it, hear it, ask it to stop.
 *
 * A driver translates one protocol. Whatever the agent sends becomes ACP here, at the edge; nobody above this room
 * knows which protocol was spoken. Ending a process is not a driver's business but `Processes`'.
 */
import { Schema } from "effect"
import type { Effect, Scope } from "effect"
import type { UpdateMessage } from "../domain/Acp.ts"
import type { ApprovalDecision } from "../domain/Approval.ts"
import type { LeaseId, SessionId } from "../domain/Ids.ts"
import type { PermissionPolicy, Permissions } from "../domain/Session.ts"
import type { Protocol } from "../domain/Settings.ts"
import { FailureClass } from "../domain/Turn.ts"
import type { Failure, StopReason, Usage } from "../domain/Turn.ts"

/** A start, a handshake or a request that came to nothing. `message` says what to do; `stderr` is redacted. */
export class AgentFailed extends Schema.TaggedError<AgentFailed>()("AgentFailed", {
  class: FailureClass,
  message: Schema.String,
  stderr: Schema.optionalKey(Schema.String),
  /** The agent's refusal, where it said one (`wireLine`). */
  wire: Schema.optionalKey(Schema.String)
}) {}

/** What an agent can do, as far as it is known before or after its handshake. */
export interface Capabilities {
  readonly resume: boolean
  readonly steer: boolean
  readonly compact: boolean
  readonly images: boolean
}

/** Something the agent asks leave for. `kind` is ACP's tool kind (`read`, `edit`, `execute`, `search`, …). */
export interface ApprovalRequest {
  /** Unique within the connection. */
  readonly id: string
  readonly turn: number | null
  readonly kind: string
  /** One line for a person: the command, or `2 update, 1 add: a.ts, b.ts, c.ts`. */
  readonly title: string
  readonly toolCallId: string | null
  /** The request as it came, for whoever wants to see it whole. */
  readonly raw: unknown
  /** The line it came in (`wireLine`). */
  readonly wire?: string
}

export type { ApprovalDecision } from "../domain/Approval.ts"

/** `no_turn`: nothing that runs could take it, and nothing was begun for it. */
export type Steered = "steered" | "no_turn"

/**
 * What an agent told us, in wire order. `turn` is the index given to `prompt`; an update that comes after its turn's
 * end still carries the turn that caused it, and `null` belongs to none.
 */
export type AgentFact =
  | { readonly _tag: "Update"; readonly turn: number | null; readonly message: UpdateMessage }
  | { readonly _tag: "TurnStarted"; readonly turn: number; readonly agentTurnId: string }
  | {
      readonly _tag: "TurnEnded"
      readonly turn: number
      /** `error` exactly where `failure` is not null. */
      readonly stopReason: StopReason
      readonly usage: Usage | null
      readonly failure: Failure | null
      /** The line that said so, where one did (`wireLine`). */
      readonly wire?: string
    }
  /** The connection is over. Said once, last; a turn that was running has no other end. */
  | { readonly _tag: "Exited"; readonly code: number | null; readonly signal: string | null; readonly stderr: string }

export interface OpenRequest {
  readonly session: SessionId
  /** Every process of this connection is started under it (see `Processes.spawn`). */
  readonly lease: LeaseId
  readonly cwd: string
  readonly model: string | null
  readonly systemPrompt: string | null
  readonly permissions: PermissionPolicy
  /** The agent's own id of the conversation to go on with; `null` starts a new one. */
  readonly thread: string | null
  /** Awaited before the next line is read, so a slow reader slows the agent and not our memory. */
  readonly emit: (fact: AgentFact) => Effect.Effect<void>
  /** Who says yes or no. Drivers ask for everything the agent asks for, and answer with what comes back. */
  readonly approve: (request: ApprovalRequest) => Effect.Effect<ApprovalDecision>
  /** Called with each process's pid, before anything is written to it. */
  readonly spawned: (pid: number) => Effect.Effect<void>
}

export interface AgentConnection {
  /** The main process, where there is a lasting one. */
  readonly pid: number | null
  /** The agent's id of the conversation. Give it back as `OpenRequest.thread` to go on after the process is gone. */
  readonly thread: string
  /** The line by which the agent took the conversation up (`wireLine`). */
  readonly wire?: string
  /** A thread was asked for and this is not it: the agent has forgotten what was said before, and why. */
  readonly contextLost: string | null
  readonly version: string | null
  readonly capabilities: Capabilities
  /**
   * Hands a prompt over. Succeeds when it is written, or accepted where the protocol says so; the turn's end comes as
   * a fact. One at a time: the caller owns the queue.
   */
  readonly prompt: (turn: number, text: string) => Effect.Effect<void, AgentFailed>
  /**
   * Has the agent make room in its context, as a turn of its own: everything that is true of a prompt is true of this.
   * Absent: it can't be asked to.
   */
  readonly compact?: (turn: number) => Effect.Effect<void, AgentFailed>
  /**
   * Adds words to the turn that runs. Taken, they are told as an update of that turn (`steeringMessage`) in the order in
   * which the agent took them. Absent: not supported; class `config`: not in this moment, for the reason given.
   */
  readonly steer?: (text: string) => Effect.Effect<Steered, AgentFailed>
  /**
   * Asks the running turn to stop and kills the commands it left running. The turn's end comes as a fact. Safe at any
   * moment, also before the agent has said that the turn began, and when nothing runs. Never waits longer than 5 s.
   */
  readonly interrupt: Effect.Effect<void>
  /** Asks the process to go: interrupts, closes stdin. Returns at once; `Exited` follows if it listens. */
  readonly askToExit: Effect.Effect<void>
}

/** One configured agent. */
export interface AgentDriver {
  readonly name: string
  readonly protocol: Protocol
  /** What is known without starting it. */
  readonly capabilities: Capabilities
  /**
   * Why a session with these permissions can't be kept to them, and what to use instead; `null`: it can. Absent: it
   * asks `approve` for everything, so it can be kept to anything.
   */
  readonly permissionsProblem?: (permissions: Permissions) => string | null
  /**
   * Starts the process, shakes hands, and starts or resumes the thread. Every request inside has a deadline of its
   * own. Closing the scope lets the connection go; `Processes.sweep` makes sure of its processes.
   */
  readonly open: (request: OpenRequest) => Effect.Effect<AgentConnection, AgentFailed, Scope.Scope>
}

/** What a driver is made from: its name, what to launch, and the child's whole environment (marker excepted). */
export interface DriverConfig {
  readonly name: string
  readonly command: readonly [string, ...ReadonlyArray<string>]
  readonly env: Readonly<Record<string, string>>
}
