/** What the command handler may call back on a session's actor. */
import { Effect, Queue } from "effect"
import type { AgentQuestion, ApprovalRequest } from "../agent/Agent.ts"
import type { AcpMessage } from "../domain/Acp.ts"
import type { ApprovalDecision } from "../domain/Approval.ts"
import type { Answers } from "../domain/Question.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { ClaimedWrites } from "./ClaimedWrites.ts"
import type { Posted, SessionPort, TurnPrompt } from "./CommandHandler.ts"
import type { Envelope } from "./Envelope.ts"
import type { Journal } from "./Journal.ts"
import type { OpenTurns } from "./OpenTurns.ts"
import type { PendingApprovals } from "./PendingApprovals.ts"
import type { Session } from "./Session.ts"
import type { TurnSpans } from "./TurnSpans.ts"
import type { TurnWatch } from "./TurnWatch.ts"

interface Parts {
  readonly session: Session
  readonly mailbox: Queue.Queue<Envelope>
  readonly journal: Journal
  readonly turnWatch: TurnWatch
  readonly approvals: PendingApprovals
  readonly openTurns: OpenTurns
  readonly turnSpans: TurnSpans
}

export class ActorPort implements SessionPort {
  readonly writes: ClaimedWrites
  readonly #parts: Parts

  constructor(writes: ClaimedWrites, parts: Parts) {
    this.writes = writes
    this.#parts = parts
  }

  record(): SessionRecord {
    return this.#parts.session.record
  }

  post(posted: Posted): Effect.Effect<void> {
    return Effect.suspend(() => this.postNow(posted))
  }

  postNow(posted: Posted): Effect.Effect<void> {
    const { mailbox } = this.#parts
    const envelope: Envelope = { ...posted, by: "troupe" }
    return Queue.offerUnsafe(mailbox, envelope) ? Effect.void : Effect.asVoid(Queue.offer(mailbox, envelope))
  }

  append(turn: number | null, message: AcpMessage): Effect.Effect<void> {
    const { journal, turnWatch } = this.#parts
    return afterBoth(journal.append(turn, message), turnWatch.received(turn, message))
  }

  agentTurn(turn: number, agentTurnId: string): Effect.Effect<void> {
    return this.#parts.journal.agentTurn(turn, agentTurnId)
  }

  requestApproval(request: ApprovalRequest): Effect.Effect<ApprovalDecision> {
    return this.#parts.approvals.request(request)
  }

  ask(question: AgentQuestion): Effect.Effect<Answers | null> {
    return this.#parts.approvals.ask(question)
  }

  promptOf(turn: number): Effect.Effect<TurnPrompt> {
    const { openTurns, turnSpans } = this.#parts
    return withTrace(openTurns.promptOf(turn), turnSpans.traceparent(turn))
  }
}

const withTrace = (asked: Effect.Effect<TurnPrompt>, traceparent: string | undefined) =>
  traceparent === undefined
    ? asked
    : Effect.map(asked, ({ kind, prompt }) => ({ kind, prompt: { ...prompt, traceparent } }))

/** Costs nothing where both are done already, as they are for nearly every chunk of a text. */
const afterBoth = (first: Effect.Effect<void>, second: Effect.Effect<void>) =>
  second === Effect.void ? first : first === Effect.void ? second : Effect.andThen(first, second)
