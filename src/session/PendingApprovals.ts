/**
 * Questions of an agent that wait for a person: the agent's request in one hand, the row in the ledger in the other.
 *
 * Whoever asks always gets an answer: what nobody could be asked is a no, and so is all that is open when this life of
 * the session ends.
 */
import { Clock, Deferred, Effect, Queue } from "effect"
import { randomBytes } from "node:crypto"
import type { ApprovalRequest } from "../agent/Agent.ts"
import type { ApprovalDecision, ApprovalRecord } from "../domain/Approval.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { ActorFailed, EventRefused, Envelope, Reply } from "./Envelope.ts"
import type { SessionHandle } from "./SessionHandle.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"

/** More than any agent was seen to ask at once; one that asks without end gets a no. */
const mostOpen = 32
/** Characters of JSON that are kept of a request, of its title, and of its tool's kind. */
const rawCharacters = 16_384
const titleCharacters = 500
const kindCharacters = 64

export interface PendingApprovals {
  readonly request: (request: ApprovalRequest) => Effect.Effect<ApprovalDecision>
  readonly settle: (id: string, decision: ApprovalDecision) => void
  /**
   * Its turn is being interrupted: the answer waits until that is done, since an agent that is told no goes on, and
   * would end its turn as if nobody had interrupted it.
   */
  readonly holdWhileInterrupting: (id: string) => void
  /** What is held is a no by now. */
  readonly denyHeld: () => void
}

export const make = Effect.fnUntraced(function* (handle: SessionHandle, record: () => SessionRecord) {
  const { id: session, mailbox } = handle
  const ledger = yield* Ledger
  const { limits } = yield* RuntimeSettings
  const waiting = new Map<string, Deferred.Deferred<ApprovalDecision>>()
  const held = new Set<string>()

  const settle: PendingApprovals["settle"] = (id, decision) => {
    const one = waiting.get(id)
    waiting.delete(id)
    if (one !== undefined) Deferred.doneUnsafe(one, Effect.succeed(decision))
  }

  const unasked = Effect.fnUntraced(function* ({ kind, title, turn }: ApprovalRequest, reason: string) {
    const at = yield* Clock.currentTimeMillis
    const detail = { turn, kind, title, decision: "deny", policy: "ask", reason }
    yield* ledger.writeLater([
      { _tag: "Audited", record: { at, session, app: record().app, action: "approval", actor: "troupe", detail } }
    ])
    return "deny" as const
  })

  const ask: PendingApprovals["request"] = Effect.fnUntraced(function* (request) {
    if (waiting.size >= mostOpen) return yield* unasked(request, `${mostOpen} questions are open already`)
    const id = `apr_${randomBytes(20).toString("base64url")}`
    const createdAt = yield* Clock.currentTimeMillis
    const approval: ApprovalRecord = {
      id,
      session,
      turn: request.turn ?? handle.snapshot?.context.turn ?? 0,
      kind: request.kind.slice(0, kindCharacters),
      title: request.title.slice(0, titleCharacters),
      toolCallId: request.toolCallId,
      raw: bounded(request.raw),
      createdAt,
      deadlineAt: createdAt + limits.approvalTimeoutMillis,
      status: "pending",
      decision: null,
      decidedBy: null,
      settledAt: null
    }
    const decision = yield* Deferred.make<ApprovalDecision>()
    waiting.set(id, decision)
    const answer = yield* Deferred.make<Reply, EventRefused | ActorFailed>()
    const envelope: Envelope = {
      event: { type: "approval.asked", id },
      by: "troupe",
      approval,
      wire: request.wire ?? null,
      replyTo: answer
    }
    return yield* Queue.offer(mailbox, envelope).pipe(
      Effect.andThen(Deferred.await(answer)),
      Effect.andThen(Deferred.await(decision)),
      Effect.catchTag("EventRefused", () => unasked(request, "no turn of the agent's is running that could ask")),
      // The actor has died of a fault of ours; its process is being ended, and the ledger has the fault.
      Effect.catchTag("ActorFailed", () => Effect.succeed("deny" as const)),
      // The agent has taken the question back. Where the mailbox is full its turn's end, or the deadline, says so.
      Effect.onInterrupt(() =>
        Effect.sync(() => {
          const ruling = { status: "withdrawn", decision: "deny" } as const
          Queue.offerUnsafe(mailbox, { event: { type: "approval.settled", id }, by: "troupe", resolution: ruling })
        })
      ),
      Effect.ensuring(Effect.sync(() => waiting.delete(id)))
    )
  })

  yield* Effect.addFinalizer(() => Effect.sync(() => [...waiting.keys()].forEach((id) => settle(id, "deny"))))
  const denyHeld = () => {
    for (const id of held) settle(id, "deny")
    held.clear()
  }
  return { request: ask, settle, holdWhileInterrupting: (id) => void held.add(id), denyHeld } satisfies PendingApprovals
})

const bounded = (raw: unknown): unknown => {
  const text = JSON.stringify(raw) ?? "null"
  return text.length <= rawCharacters ? raw : { truncated: text.slice(0, rawCharacters), characters: text.length }
}
