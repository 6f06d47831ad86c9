/**
 * Pairs each request of the agent that waits for a person with its approval row: for permission, or a question with fields.
 *
 * Every request is answered. One that nobody could be asked is denied, and so is everything open when this actor ends. A
 * question that is denied has no answers.
 */
import { Clock, Deferred, Effect, Queue } from "effect"
import type { AgentQuestion, ApprovalRequest } from "../agent/Agent.ts"
import type { ApprovalDecision, ApprovalRecord } from "../domain/Approval.ts"
import { boundedFields } from "../domain/boundedFields.ts"
import { boundedJson } from "../domain/boundedJson.ts"
import { cut } from "../domain/cut.ts"
import { isDeeperThan, maxDepth } from "../domain/storable.ts"
import { newApprovalId } from "../domain/Ids.ts"
import { questionKind } from "../domain/Question.ts"
import type { Answers } from "../domain/Question.ts"
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

export interface PendingApprovals {
  readonly request: (request: ApprovalRequest) => Effect.Effect<ApprovalDecision>
  /** `null`: it was declined, expired or withdrawn, or could not be asked. */
  readonly ask: (question: AgentQuestion) => Effect.Effect<Answers | null>
  /** Answers the requests whose approvals the step has settled. */
  readonly react: (committed: CommittedStep) => void
}

export const make = Effect.fnUntraced(function* ({ id: session, mailbox }: SessionHandle, state: Session) {
  const ledger = yield* Ledger
  const { limits } = yield* RuntimeSettings
  const waiting = new Map<string, Deferred.Deferred<Settled>>()
  /** Approvals settled while their turn is being interrupted. */
  const held = new Set<string>()

  const answer = (id: string, settled: Settled) => {
    const request = waiting.get(id)
    waiting.delete(id)
    if (request !== undefined) Deferred.doneUnsafe(request, Effect.succeed(settled))
  }

  const denyUnasked = ({ kind, title, turn }: Omit<Asked, "fields">, reason: string) =>
    Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      const detail = { turn, kind, title: cut(title, titleCharacters), decision: "deny", policy: "ask", reason }
      const { app } = state.record
      yield* ledger.writeLater([
        { _tag: "Audited", record: { at, session, app, action: "approval", actor: "troupe", detail } }
      ])
      return denied
    })

  const recordOf = (id: string, request: Asked, createdAt: number): ApprovalRecord => ({
    id,
    session,
    turn: request.turn ?? state.snapshot.context.turn,
    kind: cut(request.kind, kindCharacters),
    title: cut(request.title, titleCharacters),
    toolCallId: request.toolCallId,
    raw: bounded(request.raw),
    fields: request.fields,
    answers: null,
    createdAt,
    deadlineAt: createdAt + limits.approvalTimeoutMillis,
    status: "pending",
    decision: null,
    decidedBy: null,
    settledAt: null
  })

  const settlement = (request: Asked) =>
    Effect.gen(function* () {
      if (waiting.size >= maxOpen) return yield* denyUnasked(request, `${maxOpen} questions are open already`)
      const id = newApprovalId()
      const decision = yield* Deferred.make<Settled>()
      waiting.set(id, decision)
      const replyTo = yield* Deferred.make<Reply, EventRefused | ActorFailed>()
      const envelope: Envelope = {
        event: { type: "approval.asked", id },
        by: "troupe",
        approval: recordOf(id, request, yield* Clock.currentTimeMillis),
        wire: request.wire ?? null,
        replyTo
      }
      return yield* Queue.offer(mailbox, envelope).pipe(
        Effect.andThen(Deferred.await(replyTo)),
        Effect.andThen(Deferred.await(decision)),
        Effect.catchTag("EventRefused", () => denyUnasked(request, "no turn of the agent's is running that could ask")),
        // The actor has died of a fault of ours; its process is being ended, and the log has the fault.
        Effect.catchTag("ActorFailed", () => Effect.succeed(denied)),
        // The agent has taken the question back. Where the mailbox is full, the turn's end or the deadline settles it.
        Effect.onInterrupt(() =>
          Effect.sync(() => {
            const resolution = { status: "withdrawn", decision: "deny" } as const
            Queue.offerUnsafe(mailbox, { event: { type: "approval.settled", id }, by: "troupe", resolution })
          })
        ),
        Effect.ensuring(Effect.sync(() => waiting.delete(id)))
      )
    })

  yield* Effect.addFinalizer(() => Effect.sync(() => [...waiting.keys()].forEach((id) => answer(id, denied))))

  const approvals: PendingApprovals = {
    request: (request) => Effect.map(settlement({ ...request, fields: null }), ({ decision }) => decision),
    ask: (question) =>
      Effect.gen(function* () {
        const asked = { ...question, kind: questionKind }
        const bounded = boundedFields(question.fields)
        const { answers, decision } =
          "problem" in bounded
            ? yield* denyUnasked(asked, `the question can't be asked: ${bounded.problem}`)
            : yield* settlement({ ...asked, fields: bounded.fields })
        return decision === "deny" ? null : (answers ?? {})
      }),
    react: ({ approvals: { decided }, decision }) => {
      // While its turn is being interrupted an agent gets no answer: told "no" it goes on, and would end its turn as if
      // nobody had interrupted it.
      if (decision.next.hasTag("interrupting")) {
        for (const { id } of decided) held.add(id)
        return
      }
      for (const { answers, decision, id } of decided) answer(id, { answers, decision })
      for (const id of held) answer(id, denied)
      held.clear()
    }
  }
  return approvals
})

const bounded = (raw: unknown): unknown => {
  const isDeep = isDeeperThan(raw, maxDepth)
  const text = isDeep ? boundedJson(raw) : (JSON.stringify(raw) ?? "null")
  if (!isDeep && text.length <= rawCharacters) return raw
  return { truncated: cut(text, rawCharacters), characters: text.length }
}
