/**
 * What the library's promises and the doors stand on: the services in this process (`embeddedBackend.ts`), or a server over
 * HTTP (`remoteBackend.ts`). Both refuse with a `TroupeError`, and give the same shapes.
 */
import type { ApprovalDecision, ApprovalRecord } from "../domain/Approval.ts"
import type { ContentBlock } from "../domain/PromptContent.ts"
import type { StreamedEvent, TurnMessage } from "../domain/events/StreamedMessage.ts"
import type { JsonRecord } from "../domain/json.ts"
import type { Answers } from "../domain/Question.ts"
import type { Memory, ReviewRecord, Skill } from "../domain/Review.ts"
import type { ChangeSession, CreateSession, ForkSession, SessionState, SessionView } from "../domain/Session.ts"
import type { Message, TurnStatus } from "../domain/Turn.ts"
import type { TurnOutcome } from "../domain/TurnOutcome.ts"
import type { Session as SessionBody } from "../http/contract/sessions.ts"
import { sessionDto } from "../http/dto.ts"
import type { AgentStatus } from "../services/Operator.ts"
import type { SessionActorRef } from "../services/MirrorActor.ts"
import type { RunPrompt, RunResult } from "../services/OneShotRuns.ts"
import type { ThreadSummary } from "../services/Threads.ts"

/** A session as its app sees it, whichever way it was asked for: what HTTP answers, with the id as `id`. */
export interface SessionInfo extends Omit<typeof SessionBody.Type, "ok" | "sessionId"> {
  readonly id: string
}

export const sessionInfo = (view: SessionView): SessionInfo => {
  const { sessionId: id, ...rest } = sessionDto(view)
  return { id, ...rest }
}

/** A page of a list: `next` is the `cursor` of the one that follows, `null` on the last. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly next: string | null
}

export interface SessionPage extends Page<SessionInfo> {
  /** How many match in all. */
  readonly count: number
}

export type ThreadPage = Page<ThreadSummary>

/** An uploaded file: turns and runs name it by its id. */
export interface StoredFile {
  readonly id: string
  readonly name: string
  /** Bytes. */
  readonly size: number
}

export type LearnedFact = Omit<Memory, "app">
export type LearnedSkill = Omit<Skill, "app">

export interface SubmitRequest {
  readonly prompt: string | ReadonlyArray<ContentBlock>
  readonly messages?: ReadonlyArray<Message> | undefined
  readonly files?: ReadonlyArray<string> | undefined
  readonly model?: string | undefined
  readonly mode?: string | undefined
  readonly effort?: string | undefined
  readonly outputSchema?: JsonRecord | undefined
  readonly timeoutMillis?: number | undefined
  readonly queue?: boolean | undefined
  readonly idempotencyKey?: string | undefined
  /** Of the request, for a key that comes again with another; absent: made of the request as it is here. Not over HTTP. */
  readonly fingerprint?: string | undefined
}

/** A turn that was accepted: it goes on whether or not anybody holds this. */
export interface Submitted {
  readonly index: number
  /** Also where the agent failed; rejects where the turn never began. */
  readonly ended: () => Promise<EndedTurn>
  readonly messages: () => AsyncIterable<TurnMessage>
  /** Stops this turn and no other, also where it still waits in line. */
  readonly interrupt: () => Promise<unknown>
}

/** A turn as it is stored: of one that waits or runs, what there is by now. */
export interface StoredTurn extends TurnOutcome {
  readonly status: TurnStatus
  readonly kind: "prompt" | "compact"
  readonly prompt: string
  /** Milliseconds since 1970. */
  readonly submittedAt: number
  readonly endedAt: number | null
}

export interface EndedTurn {
  readonly outcome: TurnOutcome
  /** What a request to interrupt it has said; `null`: nothing is known of one. */
  readonly interruptReason: string | null
}

export interface SessionBackend {
  readonly submit: (request: SubmitRequest) => Promise<Submitted>
  /** The turn that was submitted under this key; `null`: none was. Not over HTTP. */
  readonly submitted: (idempotencyKey: string, fingerprint: string) => Promise<Submitted | null>
  readonly compact: () => Promise<TurnOutcome>
  readonly steer: (text: string) => Promise<void>
  /** Of all turns, or of those before one. */
  readonly messages: (before?: number) => Promise<ReadonlyArray<Message>>
  readonly approvals: () => Promise<ReadonlyArray<ApprovalRecord>>
  readonly answer: (approvalId: string, decision: ApprovalDecision, answers?: Answers) => Promise<ApprovalRecord>
  readonly reviews: () => Promise<ReadonlyArray<ReviewRecord>>
  /** Of the turn that runs, or of one of that index. */
  readonly interrupt: (turn?: number) => Promise<boolean>
  readonly fork: (request: ForkSession) => Promise<OpenedSession>
  readonly change: (settings: ChangeSession) => Promise<SessionInfo>
  /** Without `follow` they end with what is stored now. A negative `after` counts from the end: -1 begins with the last. */
  readonly events: (after: number, follow?: boolean) => AsyncIterable<StreamedEvent>
  readonly view: () => Promise<SessionInfo>
  readonly actor: () => Promise<SessionActorRef>
  /** All that happens in one turn, from its first event or after one, to the one that says how it ended. Without `follow` they end with what is stored now. */
  readonly turnEvents: (turn: number, after?: number, follow?: boolean) => AsyncIterable<StreamedEvent>
  readonly turn: (index: number) => Promise<StoredTurn>
  readonly turns: (after: number, limit: number) => Promise<ReadonlyArray<TurnOutcome>>
  /** `afterTurn`: a turn that runs ends first, and is not waited for. Not over HTTP. */
  readonly close: (afterTurn?: boolean) => Promise<{ readonly alreadyClosed: boolean }>
}

/** What is known of a session as soon as it is there. */
export type OpenedSession = Pick<SessionInfo, "agent" | "id">

export interface Backend {
  readonly session: (id: string) => SessionBackend
  /** `idempotencyKey`: the same request under it creates one session, for 24 hours. */
  readonly create: (request: CreateSession, idempotencyKey?: string) => Promise<OpenedSession>
  /** The app's session of a name of its own, created where there is none. Not over HTTP. */
  readonly createNamed: (name: string, request: CreateSession) => Promise<OpenedSession>
  /** The id of that session, also where there is none. Not over HTTP. */
  readonly idOfName: (name: string) => string
  readonly list: (query: {
    readonly limit: number
    readonly cursor: string | null
    readonly state: SessionState | "open" | null
  }) => Promise<SessionPage>
  readonly run: (request: RunPrompt) => Promise<RunResult>
  readonly storeFile: (name: string, content: Uint8Array | AsyncIterable<Uint8Array>) => Promise<StoredFile>
  readonly agents: () => Promise<ReadonlyArray<AgentStatus>>
  readonly threads: (
    agent: string,
    query: { readonly cwd: string | null; readonly cursor: string | null; readonly limit: number }
  ) => Promise<ThreadPage>
  readonly memories: () => Promise<ReadonlyArray<LearnedFact>>
  readonly skills: () => Promise<ReadonlyArray<LearnedSkill>>
  readonly sweep: () => Promise<{ readonly softClosed: number; readonly hardDeleted: number }>
  /** The same for another app. */
  readonly as: (app: string) => Backend
  readonly close: () => Promise<void>
}
