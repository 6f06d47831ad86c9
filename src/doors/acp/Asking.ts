/**
 * A session's open approvals at one client: each is asked there once, and its answer goes to the session. The first answer of
 * any client counts; a request whose approval is settled elsewhere is taken back (`$/cancel_request`).
 */
import type { RequestPermissionResponse } from "@agentclientprotocol/sdk"
import type { SessionBackend } from "../../backend/Backend.ts"
import { TroupeError } from "../../backend/TroupeError.ts"
import type { ApprovalDecision, ApprovalRecord } from "../../domain/Approval.ts"
import { answersOf, formOf } from "./questions.ts"
import type { Peer } from "./Peer.ts"

export interface Asking {
  /** Asks for all that is pending now and was not asked for by this client. */
  readonly askPending: () => Promise<void>
  readonly settled: (approval: string) => void
  /** Takes all requests back. */
  readonly stop: () => void
}

const decisions = {
  once: { kind: "allow_once", name: "Allow" },
  session: { kind: "allow_always", name: "Allow for this session" },
  deny: { kind: "reject_once", name: "Deny" }
} as const satisfies Record<ApprovalDecision, object>

/** Of a form whose answers don't fit. */
const mostAttempts = 3

const isDecision = (id: string): id is ApprovalDecision => Object.hasOwn(decisions, id)

export const make = (peer: Peer, id: string, session: SessionBackend): Asking => {
  const asked = new Map<string, AbortController>()

  const ask = async (approval: ApprovalRecord): Promise<void> => {
    const taken = new AbortController()
    asked.set(approval.id, taken)
    const options = { cancellationSignal: taken.signal, stopWaitingOnCancel: true }
    try {
      if (approval.fields === null) await permission(approval, options)
      else if (peer.shows.forms) await question(approval, options)
    } catch (error) {
      // It was settled elsewhere, or the client could not be asked: the approval waits for another answer, or for its deadline.
      if (!taken.signal.aborted) peer.note(`A client did not answer an approval: ${messageOf(error)}`)
    }
  }

  const permission = async ({ id: approval, kind, title, toolCallId }: ApprovalRecord, options: RequestOptions) => {
    const { outcome } = await peer.request<RequestPermissionResponse>(
      "session/request_permission",
      {
        sessionId: id,
        toolCall: { toolCallId: toolCallId ?? approval, title, kind, status: "pending" },
        options: Object.entries(decisions).map(([optionId, option]) => ({ optionId, ...option })),
        _meta: { "troupe/approval_id": approval }
      },
      options
    )
    // A client that cancels its turn answers so; the turn's end withdraws the approval.
    if (outcome.outcome === "selected" && isDecision(outcome.optionId)) await session.answer(approval, outcome.optionId)
  }

  /** Answers that don't fit the fields are asked for again, with what is wrong about them; then the question is declined. */
  const question = async ({ fields, id: approval, title, toolCallId }: ApprovalRecord, options: RequestOptions) => {
    let message = title
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const answers = answersOf(
        await peer.request(
          "elicitation/create",
          {
            mode: "form",
            sessionId: id,
            ...(toolCallId === null ? {} : { toolCallId }),
            message,
            requestedSchema: formOf(fields ?? []),
            _meta: { "troupe/approval_id": approval }
          },
          options
        )
      )
      if (answers === null) break
      try {
        return void (await session.answer(approval, "once", answers))
      } catch (error) {
        if (!(error instanceof TroupeError) || error.code !== "invalid_request") throw error
        message = `${title}\n\n${error.message}`
      }
    }
    await session.answer(approval, "deny")
  }

  return {
    askPending: async () => {
      for (const approval of await session.approvals()) {
        if (approval.status === "pending" && !asked.has(approval.id)) void ask(approval)
      }
    },
    settled: (approval) => {
      asked.get(approval)?.abort()
      asked.delete(approval)
    },
    stop: () => {
      for (const taken of asked.values()) taken.abort()
    }
  }
}

type RequestOptions = { readonly cancellationSignal: AbortSignal; readonly stopWaitingOnCancel: boolean }

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
