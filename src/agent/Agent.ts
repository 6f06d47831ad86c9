/**
 * The contract of an agent's driver: opens a connection, prompts the agent, emits its facts, asks it to stop.
 *
 * A driver translates one protocol. Everything that the agent sends becomes ACP in it, so the areas above do not depend
 * on the protocol. Ending processes is the task of `Processes`, not of a driver.
 */
import { Effect, Schema } from "effect"
import type { Scope } from "effect"
import type { ApprovalDecision } from "../domain/Approval.ts"
import type { LeaseId, SessionId } from "../domain/Ids.ts"
import type { JsonRecord } from "../domain/json.ts"
import type { McpServer } from "../domain/McpServer.ts"
import type { PermissionPolicy, Permissions } from "../domain/Permissions.ts"
import type { Answers } from "../domain/Question.ts"
import type { Choices, Fork } from "../domain/Session.ts"
import type { Protocol } from "../domain/Settings.ts"
import { FailureClass, ProcessExit } from "../domain/Turn.ts"
import type { Prompt } from "../domain/Turn.ts"
import type { AgentFact, AgentQuestion, ApprovalRequest } from "./agentMessages.ts"
import type { Capabilities } from "./Capabilities.ts"
import type { ConversationFiles } from "./ConversationFiles.ts"
import type { LostTurns, RecoveredTurn } from "./lostTurns.ts"
import type { ThreadPage, ThreadQuery } from "./threadList.ts"

/** A start, a handshake or a request that failed. `message` says what to do; `stderr` is redacted. */
export class AgentFailed extends Schema.TaggedError<AgentFailed>()("AgentFailed", {
  class: FailureClass,
  message: Schema.String,
  stderr: Schema.optionalKey(Schema.String),
  /** The line by which the agent refused, if it did (`wireLine`). */
  wire: Schema.optionalKey(Schema.String),
  /** How its process ended, where it did. */
  exit: Schema.optionalKey(ProcessExit)
}) {}

export type { AgentFact, AgentQuestion, ApprovalRequest } from "./agentMessages.ts"
export type { ApprovalDecision } from "../domain/Approval.ts"

/** `no_turn`: no running turn could take it, and no turn was begun for it. */
export type Steered = "steered" | "no_turn"

export interface OpenRequest {
  readonly session: SessionId
  /** All processes of this connection are spawned under it (`Processes.spawn`). */
  readonly lease: LeaseId
  readonly cwd: string
  readonly model: string | null
  readonly mode: string | null
  readonly effort: string | null
  readonly systemPrompt: string | null
  /** Those of the session, of transports that the agent has, with their secrets. One that does not start is reported. */
  readonly mcpServers: ReadonlyArray<McpServer>
  readonly additionalDirectories: ReadonlyArray<string>
  /** Set in the child in addition to its configured environment. Their values are secrets. */
  readonly env: Readonly<Record<string, string>>
  /** By what the agent itself is configured (`askingPolicyOf`); `approve` decides what it asks. */
  readonly permissions: PermissionPolicy
  /** The agent's own id of the conversation to resume; `null` starts a new one. */
  readonly thread: string | null
  /** Turns of the thread had a model of their own, which the agent may have kept with the conversation. */
  readonly turnsChoseModel: boolean
  /** Where `thread` is `null`: the conversation that the new one begins with a copy of; `null`: it begins empty. */
  readonly fork: Fork | null
  /**
   * Awaited before the next line is read, so that a slow reader slows the agent instead of filling our memory. An `Update` is
   * taken when this is called, so its effect is nearly always done already; it must be run all the same, and once.
   */
  readonly emit: (fact: AgentFact) => Effect.Effect<void>
  /** Decides a permission request. Drivers pass on every request of the agent, and answer it with the decision. */
  readonly approve: (request: ApprovalRequest) => Effect.Effect<ApprovalDecision>
  /** Whether `ask` may reach a person. Where it may not, the agent need not know of a way to ask. */
  readonly questions: boolean
  /** Asks a person, who gives the answers to the fields; `null`: declined, or nobody answered in time. */
  readonly ask: (question: AgentQuestion) => Effect.Effect<Answers | null>
  /** Called with each process's pid, before anything is written to it. */
  readonly spawned: (pid: number) => Effect.Effect<void>
  /** The process that waits for this session, under `lease`; absent: one is started. */
  readonly spare?: Spare
}

/** A process that is up and has no session yet (`Started.ts`). */
export interface Spare {
  /** Its processes have the mark of this lease, whichever session it becomes the agent of. */
  readonly lease: LeaseId
  readonly pid: number
  /** Returns when the process, or its output, has ended. */
  readonly ended: Effect.Effect<void>
  readonly close: Effect.Effect<void>
}

/** For whom a process is started that no session has yet: what decides how it is started. */
export type SpareWish = Pick<OpenRequest, "cwd" | "env" | "permissions" | "questions">

/** How a process is started that a session can take over later. */
export interface SpareSpec {
  /** All that its start binds. Sessions with the same key can have the same process. No secret of a session is in it. */
  readonly key: string
  /** It works in this directory, and only sessions of this directory can have it; `null`: in that of any session. */
  readonly directory: string | null
  /** What it reads at its start, or is: where one of them changes, it is given up. */
  readonly files: ReadonlyArray<string>
  /** It ends with the scope. */
  readonly start: (
    under: Pick<OpenRequest, "lease" | "spawned"> & { readonly scope: Scope.Closeable }
  ) => Effect.Effect<Spare, AgentFailed>
  /** Whether it can serve a session of its key in that directory, whose repository may have a say in the environment. */
  readonly serves: (
    spare: Spare,
    request: Pick<OpenRequest, "cwd" | "permissions">
  ) => Effect.Effect<boolean, AgentFailed, Scope.Scope>
}

/** What a session without any wishes gives its agent. */
export const plainSetup = {
  model: null,
  mode: null,
  effort: null,
  systemPrompt: null,
  mcpServers: [],
  additionalDirectories: [],
  env: {},
  turnsChoseModel: false,
  fork: null,
  questions: false,
  ask: () => Effect.succeed(null)
} as const satisfies Partial<OpenRequest>

export interface AgentConnection {
  /** The main process; `null`: the agent has no lasting one. */
  readonly pid: number | null
  /** The agent's id of the conversation. As `OpenRequest.thread` it resumes the conversation in another process. */
  readonly thread: string
  /** The line by which the agent opened the conversation (`wireLine`). */
  readonly wire?: string
  /** Why this is not the thread that was requested, so that the agent does not know the earlier turns; `null`: it is. */
  readonly contextLost: string | null
  readonly version: string | null
  readonly capabilities: Capabilities
  /** How the agent was configured for this session, in its protocol's own words: mode, sandbox, approvals, model, … */
  readonly configured: JsonRecord
  /** What there is to choose from for model, mode and effort, as the agent says now. */
  readonly choices: () => Choices
  /**
   * Hands a prompt over, with its settings for this turn and the session's for every other. Succeeds when the prompt is written, or accepted, where the protocol has a reply for that; the
   * turn's end comes as a fact. One at a time: the caller owns the queue.
   */
  readonly prompt: (turn: number, prompt: Prompt) => Effect.Effect<void, AgentFailed>
  /**
   * Has the agent make room in its context, as a turn of its own, with the same guarantees as `prompt`. Absent: not
   * supported.
   */
  readonly compact?: (turn: number) => Effect.Effect<void, AgentFailed>
  /**
   * Adds words to the running turn. If the agent takes them, they are emitted as an update of that turn
   * (`steeringMessage`), in the order in which it took them. Absent: not supported; class `config`: not possible now, for
   * the reason given.
   */
  readonly steer?: (text: string) => Effect.Effect<Steered, AgentFailed>
  /**
   * Stops the running turn and kills the commands that it left running. The turn's end comes as a fact. Can be called at
   * any time, also before the agent has reported the turn's begin, and when no turn runs. Takes at most 5 s.
   */
  readonly interrupt: Effect.Effect<void>
  /**
   * Looks up in the agent's own record of the conversation which of these turns it has finished. To be called before the
   * first prompt. Absent: the agent can't be asked.
   */
  readonly recover?: (lost: LostTurns) => Effect.Effect<ReadonlyArray<RecoveredTurn>, AgentFailed>
  /**
   * Looks for what will go wrong in turns although the handshake succeeded, for `troupe doctor`: a sentence for a person,
   * or `null`. Calls no model, and takes 10 s at most. Absent: nothing can be looked for.
   */
  readonly findProblem?: Effect.Effect<string | null>
  /** Asks the process to exit: interrupts, then closes stdin. Returns at once; `Exited` follows if the process complies. */
  readonly askToExit: Effect.Effect<void>
}

/** One agent, configured or built in. */
export interface AgentDriver {
  readonly name: string
  readonly protocol: Protocol
  /** As far as they are known without starting the agent. */
  readonly capabilities: Capabilities
  /**
   * Why these permissions can't be enforced in this directory, whose repository may configure the agent, and what to use
   * instead; `null`: they can. Absent: all permissions can be enforced anywhere.
   */
  readonly permissionsProblem?: (permissions: Permissions, cwd: string) => string | null
  /**
   * Why a prompt can't be given to this agent, as the end of a sentence that begins with "prompt"; `null`: it can. Absent:
   * any prompt can.
   */
  readonly promptProblem?: (prompt: string) => string | null
  /**
   * Why a session or a turn can't have this mode of the agent's, as a sentence: it is not known to widen no permission.
   * `null`: it can. Absent: no mode can be chosen.
   */
  readonly modeProblem?: (mode: string, permissions: Permissions) => string | null
  /** The names of variables that a session may set (`sessionEnv` of its configuration). */
  readonly sessionEnv?: ReadonlyArray<string>
  /** Lists the agent's conversations, newest first, with a process that ends with the scope. Absent: it has no list. */
  readonly threads?: (
    request: Pick<OpenRequest, "session" | "lease" | "spawned">,
    query: ThreadQuery
  ) => Effect.Effect<ThreadPage, AgentFailed, Scope.Scope>
  /**
   * Where it keeps its own conversations, for a session in that directory with these variables; `null`: that is not known.
   * Absent: nothing is known of its files.
   */
  readonly conversations?: (session: Pick<OpenRequest, "cwd" | "env">) => ConversationFiles | null
  /**
   * How a process is started that could serve this session, and others, later; `null`: only one of the session's own can.
   * Absent: its protocol opens no session after the start.
   */
  readonly spare?: (wish: SpareWish) => SpareSpec | null
  /** Its processes share a login that each may renew: the first start goes alone. Absent: they do not. */
  readonly sharesLogin?: boolean
  /**
   * Starts the process, shakes hands, and starts or resumes the thread. Every request in it has a deadline of its own.
   * Closing the scope closes the connection; only `Processes.sweep` guarantees that all its processes are ended.
   */
  readonly open: (request: OpenRequest) => Effect.Effect<AgentConnection, AgentFailed, Scope.Scope>
}

/**
 * `command` is what to launch, `env` the child's whole environment but for the marker. `secrets`: the values that must not
 * be shown, as `secretsOf` gives them; absent: those that `env` shows by itself.
 */
export interface DriverConfig {
  readonly name: string
  readonly command: readonly [string, ...ReadonlyArray<string>]
  readonly env: Readonly<Record<string, string>>
  readonly secrets?: ReadonlyArray<string> | undefined
}
