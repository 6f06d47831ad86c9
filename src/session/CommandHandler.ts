/** What a session's actor can do in the world: one thing for each command. `AgentCommandHandler` does it to real agents. */
import { Context } from "effect"
import type { Effect } from "effect"
import type { SessionCommand } from "../../machines/session/machine.ts"
import type { AgentQuestion, ApprovalRequest } from "../agent/Agent.ts"
import type { AcpMessage } from "../domain/Acp.ts"
import type { ApprovalDecision } from "../domain/Approval.ts"
import type { LeaseId, SessionId } from "../domain/Ids.ts"
import type { JsonRecord } from "../domain/json.ts"
import type { Answers } from "../domain/Question.ts"
import type { Choices, ExceededLimit, ProcessUse, SessionRecord } from "../domain/Session.ts"
import type { Prompt, TurnRecord } from "../domain/Turn.ts"
import type { ClaimedWrites } from "./ClaimedWrites.ts"
import type { Envelope } from "./Envelope.ts"

/** What the command handler may call back on the session. */
export interface SessionPort {
  readonly record: () => SessionRecord
  /** Posts an event to the mailbox; waits while that is full. */
  readonly post: (envelope: Posted) => Effect.Effect<void>
  /** The same when it is called; its effect, which must be run, waits where the mailbox is full. */
  readonly postNow: (envelope: Posted) => Effect.Effect<void>
  /** Records what the agent said when it is called; its effect, which must be run, waits where too much is unwritten. */
  readonly append: (turn: number | null, message: AcpMessage) => Effect.Effect<void>
  /** Notes the agent's own id of a turn. */
  readonly agentTurn: (turn: number, agentTurnId: string) => Effect.Effect<void>
  /** Asks a person. Always returns: the deadline answers with a denial, and so does the end of the turn. */
  readonly requestApproval: (request: ApprovalRequest) => Effect.Effect<ApprovalDecision>
  /** Asks a person something that is no permission. `null`: declined, by the deadline or the end of the turn, too. */
  readonly ask: (question: AgentQuestion) => Effect.Effect<Answers | null>
  /** What to hand to the agent. The machine needs neither a turn's kind nor its prompt, so its commands carry neither. */
  readonly promptOf: (turn: number) => Effect.Effect<TurnPrompt>
  readonly writes: ClaimedWrites
}

export type Posted = Omit<Envelope, "by" | "replyTo" | "timer">

export interface TurnPrompt {
  readonly kind: TurnRecord["kind"]
  readonly prompt: Prompt
}

/** What came of words for a running turn; `problem` says why not, in a sentence. */
export type SteerOutcome =
  | { readonly _tag: "Steered" | "NoTurn" }
  | { readonly _tag: "NotSupported" | "Failed"; readonly problem: string }

export class CommandHandler extends Context.Service<
  CommandHandler,
  {
    /**
     * Returns when it is done. A command whose delivery is `repeatable` may come twice. Never fails: a failure is posted
     * to the session as an event.
     */
    readonly perform: (port: SessionPort, command: SessionCommand) => Effect.Effect<void>
    /**
     * Adds words to the turn that the agent is at. Not a command of the machine: it changes no state, a crash leaves
     * nothing to do again, and the caller waits for the answer.
     */
    readonly steer: (session: SessionId, text: string) => Effect.Effect<SteerOutcome>
    /** Ends the session's process at once, if it has one: its actor has died, or the runtime shuts down. */
    readonly drop: (session: SessionId) => Effect.Effect<void>
    readonly pid: (session: SessionId) => number | null
    /** How its agent was configured (`AgentConnection.configured`); `null` while it is not up. */
    readonly configured: (session: SessionId) => JsonRecord | null
    /** What its agent offers to choose from; `null` while it is not up. */
    readonly choices: (session: SessionId) => Choices | null
    /** What its processes use, as measured last; `null`: it has none, or it has no limits. */
    readonly use: (session: SessionId) => ProcessUse | null
    /** The limit that it has exceeded last; `null`: none. */
    readonly exceeded: (session: SessionId) => ExceededLimit | null
    /** What its processes used lately; whoever asks has them measured for a while. */
    readonly samples: (session: SessionId) => ReadonlyArray<{
      readonly at: number
      readonly rssBytes: number
      readonly cpu: number
      readonly processes: number
    }>
    /** The lease by which its process and all children of that can be found (`Processes`). */
    readonly lease: (session: SessionId) => LeaseId | null
    readonly sessionsWithProcess: () => ReadonlyArray<SessionId>
  }
>()("troupe/session/CommandHandler") {}
