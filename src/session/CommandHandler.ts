/** What a session's actor is able to do in the world: one thing per command. The doing itself is `Hands.layer`'s. */
import { Context } from "effect"
import type { Effect } from "effect"
import type { SessionCommand } from "../../machines/session/machine.ts"
import type { ApprovalRequest } from "../agent/Agent.ts"
import type { AcpMessage } from "../domain/Acp.ts"
import type { ApprovalDecision } from "../domain/Approval.ts"
import type { LeaseId, SessionId } from "../domain/Ids.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { TurnRecord } from "../domain/Turn.ts"
import type { Envelope } from "./Envelope.ts"

/** The session as its hands see it. */
export interface SessionPort {
  readonly record: () => SessionRecord
  /** Posts news to the mailbox; waits while that is full. */
  readonly post: (letter: Omit<Envelope, "by" | "answer" | "timer">) => Effect.Effect<void>
  /** Records what the agent said. Waits where too much is unwritten. */
  readonly append: (turn: number | null, message: AcpMessage) => Effect.Effect<void>
  /** Asks a person. Always comes back: silence is a no at its deadline, and so is the end of the turn. */
  readonly requestApproval: (request: ApprovalRequest) => Effect.Effect<ApprovalDecision>
  /** What the agent is to be asked: of a turn its kind is known where its prompt is, and the machine needs neither. */
  readonly promptOf: (turn: number) => Effect.Effect<TurnPrompt>
}

export type TurnPrompt = Pick<TurnRecord, "kind" | "prompt">

/** What came of words for a running turn; `problem` says why in a sentence. */
export type SteerOutcome =
  | { readonly _tag: "Steered" | "NoTurn" }
  | { readonly _tag: "NotSupported" | "Failed"; readonly problem: string }

export class CommandHandler extends Context.Service<
  CommandHandler,
  {
    /** Returns when it is done. Every command but `handPrompt` may come twice. Never fails: what fails is told. */
    readonly perform: (stage: SessionPort, command: SessionCommand) => Effect.Effect<void>
    /**
     * Adds words to the turn that the agent is at. No command of the machine: it changes no state, nothing is owed of it
     * after a crash, and who steers waits for the answer.
     */
    readonly steer: (session: SessionId, text: string) => Effect.Effect<SteerOutcome>
    /** Ends whatever process of the session is left, at once: its actor has died or the house closes. */
    readonly drop: (session: SessionId) => Effect.Effect<void>
    readonly pid: (session: SessionId) => number | null
    /** Under which its process and all that this starts can be found (`Processes`). */
    readonly lease: (session: SessionId) => LeaseId | null
    /** Those that have a process. */
    readonly sessionsWithProcess: () => ReadonlyArray<SessionId>
  }
>()("troupe/session/CommandHandler") {}
