/**
 * What a chat needs of its session, which is in this process or on a server.
 *
 * Every failure is a `CommandFailed`, whose message says what to do.
 */
import type { Effect, Stream } from "effect"
import type { ApprovalDecision } from "../../domain/Approval.ts"
import type { Answers, QuestionField } from "../../domain/Question.ts"
import type { Permissions } from "../../domain/Permissions.ts"
import type { Choices, SessionSettings } from "../../domain/Session.ts"
import type { Usage } from "../../domain/Turn.ts"
import type { ThreadSummary } from "../../services/Threads.ts"
import { CommandFailed } from "../failures.ts"
import type { NarratedMessage } from "../narration.ts"

/** `seq`: its number in the session. */
export interface ChatMessage extends NarratedMessage {
  readonly seq: number
}

export interface Conversation {
  readonly id: string
  readonly agent: string
  /** It goes on without this process: its session is on a server. */
  readonly outlives: boolean
  /** Of a session that was there before; `null`: it is new, or nothing was said in it. */
  readonly past: Past | null
  /** All events of the session, from the first; ends when the session is closed. */
  readonly events: Stream.Stream<ChatMessage, CommandFailed>
  /** Succeeds when the turn is accepted; its outcome is among the events. `files`: ids of `attach`. */
  readonly submit: (prompt: string, files: ReadonlyArray<string>) => Effect.Effect<void, CommandFailed>
  /** Stores a file for the session's app, and gives its id. */
  readonly attach: (path: string) => Effect.Effect<string, CommandFailed>
  /** Succeeds when the compaction has ended; `false` where the agent did not compact. A failure is among the events. */
  readonly compact: Effect.Effect<boolean, CommandFailed>
  readonly steer: (text: string) => Effect.Effect<void, CommandFailed>
  readonly interrupt: Effect.Effect<void, CommandFailed>
  /** For the next turns. */
  readonly change: (settings: SessionSettings) => Effect.Effect<void, CommandFailed>
  /** `null` where the approval is not pending any more. */
  readonly approval: (id: string) => Effect.Effect<PendingApproval | null, CommandFailed>
  /** `answers`: to a question. */
  readonly answer: (id: string, decision: ApprovalDecision, answers?: Answers) => Effect.Effect<void, CommandFailed>
  /** A session whose agent knows what was said in this one, up to a turn, or all of it. */
  readonly fork: (turnIndex: number | undefined) => Effect.Effect<Conversation, CommandFailed>
  /** A session like this one that goes on with a conversation of the agent's, by the agent's own id. */
  readonly goOnWith: (threadId: string) => Effect.Effect<Conversation, CommandFailed>
  /** The newest conversations that the agent has, of one directory or of all. */
  readonly threads: (cwd: string | undefined) => Effect.Effect<Threads, CommandFailed>
  readonly summary: Effect.Effect<Summary, CommandFailed>
  /** Returns when no process of the session is left. */
  readonly close: Effect.Effect<void, CommandFailed>
}

/** Where the part of a session's stream ends that was there before the chat: with this message of its last turn. */
export interface Past {
  readonly phase: "submitted" | "ended"
  readonly turnIndex: number
}

/** `turning`: its last turn still runs, and is a part of the chat. */
export const pastOf = (turns: number, isTurning: boolean): Past | null =>
  turns === 0 ? null : { phase: isTurning ? "submitted" : "ended", turnIndex: turns }

/** Which session: the newest that is open. */
export const newest = "last"

export const noneOpen = new CommandFailed({ code: "no_session", problem: "There is no open session to come back to." })

export const closedBefore = (id: string) =>
  new CommandFailed({
    code: "session_closed",
    problem: `Session ${id} is closed. Its conversation can be read: troupe sessions messages ${id}.`
  })

/** As many of the agent's conversations as a list in the chat has. */
export const threadsShown = 20

export interface Threads {
  readonly threads: ReadonlyArray<ThreadSummary>
  readonly hasMore: boolean
}

/** An approval that the agent waits for. */
export interface PendingApproval {
  readonly id: string
  readonly kind: string
  readonly title: string
  readonly toolCallId: string | null
  /** The agent's own request. */
  readonly raw: unknown
  /** Of a question; `null`: the agent asks for permission. */
  readonly fields: ReadonlyArray<QuestionField> | null
  /** Milliseconds since 1970. An approval that is not answered by then is denied. */
  readonly deadlineAt: number
}

export interface Summary {
  readonly turns: number
  readonly usage: Usage
  readonly pid: number | null
  readonly permissions: Permissions
  readonly model: string | null
  readonly mode: string | null
  readonly effort: string | null
  /** What its agent offers; `null` while it is not up. */
  readonly choices: Choices | null
}
