/**
 * The door of the runtime: everything an app can do with its sessions, whoever carries the request in.
 *
 * HTTP, the library and, later, a cluster come in here and nowhere else. Nothing above this door holds state about a
 * session; nothing behind it assumes to be the only process.
 */
import { Context } from "effect"
import type { Effect, Stream } from "effect"
import type { ApprovalDecision, ApprovalRecord } from "../domain/Approval.ts"
import type { Caller } from "../runtime/Caller.ts"
import type { TranscriptPage } from "../runtime/Transcript.ts"
import type { AppName, FileId, SessionId } from "../domain/Ids.ts"
import type {
  AgentFixed,
  ApprovalNotFound,
  ApprovalSettled,
  Draining,
  FileNotFound,
  IdempotencyConflict,
  InvalidRequest,
  NotAllowed,
  NotSupported,
  NoTurn,
  PoolFull,
  QueueFull,
  SessionClosed,
  SessionNotFound,
  SessionParked,
  ThreadTaken,
  TurnInProgress,
  TurnNotFound,
  Unavailable,
  UnknownAgent
} from "../domain/Refusal.ts"
import type {
  AuditRecord,
  ChangeSession,
  CreateSession,
  ForkSession,
  SessionState,
  SessionView,
  StoredEvent
} from "../domain/Session.ts"
import type { ContentBlock } from "../domain/PromptContent.ts"
import type { Message, TurnResult, TurnSettings } from "../domain/Turn.ts"
import type { StreamedEvent } from "../domain/events/StreamedMessage.ts"
import type { Answers } from "../domain/Question.ts"
import type { KeyedRequest } from "../ledger/Ledger.ts"

export type { Caller } from "../runtime/Caller.ts"
export type { TranscriptPage } from "../runtime/Transcript.ts"

export interface SubmitTurn {
  readonly prompt: string | ReadonlyArray<ContentBlock>
  /** In place of the session's own, for this turn. */
  readonly settings?: TurnSettings | undefined
  /**
   * The conversation so far as the app keeps it, with or without the prompt. An agent that no prompt has reached gets it as
   * text, in front of the prompt (`_troupe/context_given` in the stream); any other gets nothing of it.
   */
  readonly messages?: ReadonlyArray<Message> | undefined
  /** Messages for an agent that a prompt has reached are refused with `NotSupported`, instead of left out. */
  readonly onlyFresh?: boolean | undefined
  readonly files?: ReadonlyArray<FileId> | undefined
  /** Replaces the configured turn timeout, in milliseconds. */
  readonly timeoutMillis?: number | undefined
  /** Wait in line behind a running turn instead of being refused. */
  readonly queue?: boolean | undefined
  /**
   * What it is recognised by where it is submitted again: it leads to the same turn then, as long as the session is kept.
   * The fingerprint is that of the whole request; another one under the same id is refused. Absent: it is a new one.
   */
  readonly submission?: { readonly id: string; readonly fingerprint: string } | undefined
}

/** A turn that was accepted: it goes on whether or not anybody holds this. */
export interface Turning {
  readonly session: SessionId
  readonly index: number
  /** Its submission has come before: nothing was begun by this one. */
  readonly isKnown: boolean
  /** Its events as they are stored, from the first; ends after the turn's last. */
  readonly events: Stream.Stream<StreamedEvent, Unavailable>
  /** Succeeds with whatever came of it: a failure is a result. */
  readonly result: Effect.Effect<TurnResult, Unavailable>
  /** Stops this turn and no other, also where it still waits in line. `false` where it has ended already. */
  readonly interrupt: Effect.Effect<boolean, Unavailable>
}

export interface SessionPage {
  readonly items: ReadonlyArray<SessionView>
  readonly count: number
  readonly next: string | null
}

export class Sessions extends Context.Service<
  Sessions,
  {
    /**
     * `request`: the Idempotency-Key, whose receipt is stored with the session. `by`: who creates it, in the audit trail;
     * else its app.
     */
    readonly create: (
      app: AppName,
      session: CreateSession,
      request?: KeyedRequest,
      by?: Caller
    ) => Effect.Effect<
      SessionView,
      UnknownAgent | NotAllowed | InvalidRequest | NotSupported | ThreadTaken | PoolFull | Draining | Unavailable
    >
    /**
     * The app's session of a name of its own, as it is; where there is none, it is created. `namedSession.ts` has its id,
     * by which it is found without being created.
     */
    readonly named: (
      app: AppName,
      name: string,
      session: CreateSession,
      by: Caller
    ) => Effect.Effect<
      SessionView,
      UnknownAgent | NotAllowed | InvalidRequest | NotSupported | ThreadTaken | PoolFull | Draining | Unavailable
    >
    /**
     * A new session whose agent knows what was said in this one, up to a turn, or all of it. Its settings are this one's
     * where the request has none; a directory of Troupe's own is copied as it is now.
     */
    readonly fork: (
      caller: Caller,
      id: string,
      request: ForkSession,
      keyed?: KeyedRequest
    ) => Effect.Effect<
      SessionView,
      | SessionNotFound
      | TurnNotFound
      | TurnInProgress
      | UnknownAgent
      | NotAllowed
      | InvalidRequest
      | NotSupported
      | ThreadTaken
      | PoolFull
      | Draining
      | Unavailable
    >
    readonly get: (caller: Caller, id: string) => Effect.Effect<SessionView, SessionNotFound | Unavailable>
    /**
     * For the next turns; a turn that has begun goes on with the settings that it began with. Another agent is taken until
     * the first turn.
     */
    readonly change: (
      caller: Caller,
      id: string,
      settings: ChangeSession
    ) => Effect.Effect<
      SessionView,
      | SessionNotFound
      | SessionClosed
      | AgentFixed
      | UnknownAgent
      | NotAllowed
      | InvalidRequest
      | NotSupported
      | Unavailable
    >
    readonly list: (
      caller: Caller,
      query: { readonly limit: number; readonly cursor: string | null; readonly state: SessionState | "open" | null }
    ) => Effect.Effect<SessionPage, InvalidRequest | Unavailable>
    /** The turn that was submitted under this name; `null`: none was. */
    readonly submitted: (
      caller: Caller,
      id: string,
      name: NonNullable<SubmitTurn["submission"]>
    ) => Effect.Effect<Turning | null, SessionNotFound | IdempotencyConflict | InvalidRequest | Unavailable>
    readonly submit: (
      caller: Caller,
      id: string,
      turn: SubmitTurn
    ) => Effect.Effect<
      Turning,
      | SessionNotFound
      | SessionClosed
      | TurnInProgress
      | QueueFull
      | SessionParked
      | FileNotFound
      | InvalidRequest
      | NotSupported
      | UnknownAgent
      | IdempotencyConflict
      | Draining
      | Unavailable
    >
    readonly turns: (
      caller: Caller,
      id: string,
      query: { readonly after: number; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<TurnResult>, SessionNotFound | Unavailable>
    readonly turn: (
      caller: Caller,
      id: string,
      index: number
    ) => Effect.Effect<TurnResult, SessionNotFound | TurnNotFound | Unavailable>
    /**
     * The conversation so far in OpenAI's message shape: turns after `after` and before `before`, as many as asked for or
     * as a page holds. Of the turn that runs, what is complete by now; a turn that waits in line is not said yet.
     */
    readonly messages: (
      caller: Caller,
      id: string,
      query: { readonly after: number; readonly limit: number; readonly before?: number | undefined }
    ) => Effect.Effect<TranscriptPage, SessionNotFound | Unavailable>
    /** Adds words to the turn that runs. Succeeds when the agent has taken them: they are among the turn's messages. */
    readonly steer: (
      caller: Caller,
      id: string,
      text: string
    ) => Effect.Effect<void, SessionNotFound | SessionClosed | NoTurn | NotSupported | InvalidRequest | Unavailable>
    /**
     * The prompt and the settings of a turn that failed, timed out or was interrupted, as a new turn, in line behind one that
     * runs. A second time it leads to the same new turn.
     */
    readonly resend: (
      caller: Caller,
      id: string,
      turn: number
    ) => Effect.Effect<
      Turning,
      | SessionNotFound
      | TurnNotFound
      | SessionClosed
      | TurnInProgress
      | QueueFull
      | SessionParked
      | InvalidRequest
      | NotSupported
      | UnknownAgent
      | IdempotencyConflict
      | Draining
      | Unavailable
    >
    /** A turn in which the agent makes room in its context. Never during another: codex would interrupt that one. */
    readonly compact: (
      caller: Caller,
      id: string
    ) => Effect.Effect<
      Turning,
      | SessionNotFound
      | SessionClosed
      | TurnInProgress
      | QueueFull
      | SessionParked
      | NotSupported
      | Draining
      | Unavailable
    >
    /**
     * `true` where a turn was running and has ended by the time this returns, or will within its ladder's deadlines. With a
     * turn's index it is that turn and no other, also where it still waits in line.
     */
    readonly interrupt: (
      caller: Caller,
      id: string,
      turn?: number
    ) => Effect.Effect<boolean, SessionNotFound | Unavailable>
    /**
     * `alreadyClosed` where there was nothing left to do. Returns when no process of the session is left. `afterTurn`: a turn that
     * runs may end first, which is not waited for; also where Troupe dies meanwhile.
     */
    readonly close: (
      caller: Caller,
      id: string,
      afterTurn?: boolean
    ) => Effect.Effect<{ readonly alreadyClosed: boolean }, SessionNotFound | Unavailable>
    /** What the session's agent waits for, permissions and questions, oldest first. */
    readonly approvals: (
      caller: Caller,
      id: string
    ) => Effect.Effect<ReadonlyArray<ApprovalRecord>, SessionNotFound | Unavailable>
    /**
     * The approval as it was settled by this. `ApprovalSettled` where it was before, whoever or whatever did it;
     * `InvalidRequest` where the answers don't fit a question's fields, and `NotAllowed` where the app's bounds keep such a
     * yes from it: it stays open.
     */
    readonly answer: (
      caller: Caller,
      id: string,
      approval: string,
      decision: ApprovalDecision,
      answers?: Answers
    ) => Effect.Effect<
      ApprovalRecord,
      SessionNotFound | ApprovalNotFound | ApprovalSettled | NotAllowed | InvalidRequest | Unavailable
    >
    /**
     * Everything after `after`, from the ledger, then live; ends when the session is closed or the reader is too slow. Without
     * `follow` it ends with what is stored now. A negative `after` counts from the end: -1 begins with the last event.
     */
    readonly events: (
      caller: Caller,
      id: string,
      after: number,
      follow?: boolean
    ) => Effect.Effect<Stream.Stream<StreamedEvent, Unavailable>, SessionNotFound | Unavailable>
    /** The same as they are stored, for whoever makes texts of them (`streamedJson`). */
    readonly storedEvents: (
      caller: Caller,
      id: string,
      after: number,
      follow?: boolean
    ) => Effect.Effect<Stream.Stream<StoredEvent, Unavailable>, SessionNotFound | Unavailable>
    /**
     * All that happened in one turn, messages of Troupe's own included: after `after`, or from its first event, to the one
     * that says that it has ended (`_troupe/turn`). Without `follow` they end with what is stored now.
     */
    readonly turnEvents: (
      caller: Caller,
      id: string,
      turn: number,
      after?: number,
      follow?: boolean
    ) => Effect.Effect<Stream.Stream<StreamedEvent, Unavailable>, SessionNotFound | TurnNotFound | Unavailable>
    readonly audit: (id: string) => Effect.Effect<ReadonlyArray<AuditRecord>, SessionNotFound | Unavailable>
    /**
     * Moves the session to another node: the one of this name, or that with the most room. Its name, and whether it was there
     * before. Refused while a turn is with its agent.
     */
    readonly move: (
      id: string,
      to: string | null
    ) => Effect.Effect<
      { readonly node: string; readonly moved: boolean },
      SessionNotFound | SessionClosed | TurnInProgress | InvalidRequest | NotSupported | Unavailable
    >
    readonly unpark: (id: string) => Effect.Effect<boolean, SessionNotFound | Unavailable>
  }
>()("troupe/services/Sessions") {}
