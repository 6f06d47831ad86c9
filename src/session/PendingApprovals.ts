/**
 * Pairs each request of the agent that waits for a person with its approval row: for permission, or a question with fields.
 *
 * Every request is answered. One that nobody could be asked is denied, and so is everything open when this actor ends. A
 * question that is denied has no answers.
 */
import { Clock, Deferred, Effect, Queue, Scope } from "effect"
import type { AgentQuestion, ApprovalRequest } from "../agent/Agent.ts"
import type { ApprovalDecision, ApprovalRecord } from "../domain/Approval.ts"
import { boundedFields } from "../domain/boundedFields.ts"
import { boundedJson } from "../domain/boundedJson.ts"
import { cut } from "../domain/cut.ts"
import { isDeeperThan, maxDepth } from "../domain/storable.ts"
import { newApprovalId } from "../domain/Ids.ts"
import { questionKind } from "../domain/Question.ts"
import type { Answers } from "../domain/Question.ts"
import type { Limits } from "../domain/Settings.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { ActorFailed, EventRefused, Envelope, Reply } from "./Envelope.ts"
import type { Settled } from "./approvalEntries.ts"
import type { CommittedStep } from "./commit.ts"
import type { Session } from "./Session.ts"
import type { SessionHandle } from "./SessionHandle.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"

/** More than any agent was seen to ask at once; an agent that asks without end is denied. */
const maxOpen = 32
/** Characters of JSON that are kept of a request, of its title, and of its tool's kind. */
const rawCharacters = 16_384
const titleCharacters = 500
const kindCharacters = 64

const denied: Settled = { decision: "deny", answers: null }

/** A request for permission, or a question. */
type Asked = Pick<ApprovalRequest, "turn" | "title" | "kind" | "toolCallId" | "raw" | "wire"> &
  Pick<ApprovalRecord, "fields">

interface Services {
  readonly ledger: Ledger["Service"]
  readonly limits: Limits
}

export class PendingApprovals {
  readonly #mailbox: Queue.Queue<Envelope>
  readonly #state: Session
  readonly #services: Services
  /** Made with the first. */
  #waiting: Map<string, Deferred.Deferred<Settled>> | null = null
  /** Approvals settled while their turn is being interrupted. */
  #held: ReadonlyArray<string> = []

  constructor(mailbox: Queue.Queue<Envelope>, state: Session, services: Services) {
    this.#mailbox = mailbox
    this.#state = state
    this.#services = services
  }

  request(request: ApprovalRequest): Effect.Effect<ApprovalDecision> {
    return Effect.map(this.#settlement({ ...request, fields: null }), ({ decision }) => decision)
  }

  /** `null`: it was declined, expired or withdrawn, or could not be asked. */
  ask(question: AgentQuestion): Effect.Effect<Answers | null> {
    return Effect.gen({ self: this }, function* () {
      const asked = { ...question, kind: questionKind }
      const bounded = boundedFields(question.fields)
      const { answers, decision } =
        "problem" in bounded
          ? yield* this.#denyUnasked(asked, `the question can't be asked: ${bounded.problem}`)
          : yield* this.#settlement({ ...asked, fields: bounded.fields })
      return decision === "deny" ? null : (answers ?? {})
    })
  }

  /** Answers the requests whose approvals the step has settled. */
  react({ approvals: { decided }, decision }: CommittedStep): void {
    // While its turn is being interrupted an agent gets no answer: told "no" it goes on, and would end its turn as if
    // nobody had interrupted it.
    if (decision.next.hasTag("interrupting")) {
      if (decided.length > 0) this.#held = [...this.#held, ...decided.map(({ id }) => id)]
      return
    }
    for (const { answers, decision, id } of decided) this.#answer(id, { answers, decision })
    const held = this.#held
    this.#held = []
    for (const id of held) this.#answer(id, denied)
  }

  /** This actor ends. */
  denyAll(): void {
    for (const id of this.#waiting?.keys() ?? []) this.#answer(id, denied)
  }

  #answer(id: string, settled: Settled): void {
    const request = this.#waiting?.get(id)
    this.#waiting?.delete(id)
    if (request !== undefined) Deferred.doneUnsafe(request, Effect.succeed(settled))
  }

  #denyUnasked({ kind, title, turn }: Omit<Asked, "fields">, reason: string) {
    return Effect.gen({ self: this }, function* () {
      const at = yield* Clock.currentTimeMillis
      const detail = { turn, kind, title: cut(title, titleCharacters), decision: "deny", policy: "ask", reason }
      const { app, id: session } = this.#state.record
      yield* this.#services.ledger.writeLater([
        { _tag: "Audited", record: { at, session, app, action: "approval", actor: "troupe", detail } }
      ])
      return denied
    })
  }

  #recordOf(id: string, request: Asked, createdAt: number): ApprovalRecord {
    return {
      id,
      session: this.#state.record.id,
      turn: request.turn ?? this.#state.snapshot.context.turn,
      kind: cut(request.kind, kindCharacters),
      title: cut(request.title, titleCharacters),
      toolCallId: request.toolCallId,
      raw: bounded(request.raw),
      fields: request.fields,
      answers: null,
      createdAt,
      deadlineAt: createdAt + this.#services.limits.approvalTimeoutMillis,
      status: "pending",
      decision: null,
      decidedBy: null,
      settledAt: null
    }
  }

  #settlement(request: Asked) {
    return Effect.gen({ self: this }, function* () {
      const waiting = (this.#waiting ??= new Map())
      if (waiting.size >= maxOpen) {
        return yield* this.#denyUnasked(request, `${maxOpen} questions are open already`)
      }
      const id = newApprovalId()
      const decision = yield* Deferred.make<Settled>()
      waiting.set(id, decision)
      const replyTo = yield* Deferred.make<Reply, EventRefused | ActorFailed>()
      const envelope: Envelope = {
        event: { type: "approval.asked", id },
        by: "troupe",
        approval: this.#recordOf(id, request, yield* Clock.currentTimeMillis),
        wire: request.wire ?? null,
        replyTo
      }
      return yield* Queue.offer(this.#mailbox, envelope).pipe(
        Effect.andThen(Deferred.await(replyTo)),
        Effect.andThen(Deferred.await(decision)),
        Effect.catchTag("EventRefused", () =>
          this.#denyUnasked(request, "no turn of the agent's is running that could ask")
        ),
        // The actor has died of a fault of ours; its process is being ended, and the log has the fault.
        Effect.catchTag("ActorFailed", () => Effect.succeed(denied)),
        // The agent has taken the question back. Where the mailbox is full, the turn's end or the deadline settles it.
        Effect.onInterrupt(() =>
          Effect.sync(() => {
            const resolution = { status: "withdrawn", decision: "deny" } as const
            Queue.offerUnsafe(this.#mailbox, { event: { type: "approval.settled", id }, by: "troupe", resolution })
          })
        ),
        Effect.ensuring(Effect.sync(() => waiting.delete(id)))
      )
    })
  }
}

export const make = Effect.fnUntraced(function* ({ mailbox }: SessionHandle, state: Session) {
  const { limits } = yield* RuntimeSettings
  const approvals = new PendingApprovals(mailbox, state, { ledger: yield* Ledger, limits })
  yield* Scope.addFinalizer(
    yield* Effect.scope,
    Effect.sync(() => approvals.denyAll())
  )
  return approvals
})

const bounded = (raw: unknown): unknown => {
  const isDeep = isDeeperThan(raw, maxDepth)
  const text = isDeep ? boundedJson(raw) : (JSON.stringify(raw) ?? "null")
  if (!isDeep && text.length <= rawCharacters) return raw
  return { truncated: cut(text, rawCharacters), characters: text.length }
}
