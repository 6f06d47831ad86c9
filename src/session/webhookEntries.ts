/**
 * What a step owes to the webhooks of its session's app: part of the step's own commit, so an event is owed exactly where what
 * it tells of is stored. Pure.
 *
 * An event says what happened and where to read more: no prompt, no answer. Keys and times are those of the HTTP API.
 */
import type { Notice } from "../domain/Notice.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { WebhookEvent } from "../domain/Webhook.ts"
import type { LedgerWrite } from "../ledger/Ledger.ts"
import type { WebhookTarget } from "../runtime/WebhookTargets.ts"

type WebhookOwed = Extract<LedgerWrite, { readonly _tag: "WebhookOwed" }>

export const webhookEntries = (
  targets: ReadonlyArray<WebhookTarget>,
  { agent, app, id: session }: SessionRecord,
  { at, seq }: { readonly at: number; readonly seq: number },
  notices: ReadonlyArray<Notice>
): ReadonlyArray<WebhookOwed> => {
  if (targets.length === 0) return []
  const entries: Array<WebhookOwed> = []
  notices.forEach((notice, nth) => {
    const told = eventOf(notice)
    if (told === null) return
    const { data, type } = told
    // Of the step, so that it is the same however often it is made; without a full stop, which separates what is signed.
    const event = `evt_${session}_${seq}_${nth}`
    const timestamp = new Date(at).toISOString()
    const body = JSON.stringify({ type, timestamp, data: { session_id: session, app, agent, ...data } })
    for (const { events, id: webhook } of targets) {
      if (!events.has(type)) continue
      entries.push({ _tag: "WebhookOwed", delivery: { webhook, event, type, session, body, createdAt: at } })
    }
  })
  return entries
}

interface Told {
  readonly type: WebhookEvent
  readonly data: Readonly<Record<string, unknown>>
}

const eventOf = (notice: Notice): Told | null => {
  switch (notice._tag) {
    case "TurnEnded": {
      const { failure, status, stopReason, turn, usage } = notice
      const data = {
        turn_index: turn,
        status,
        stop_reason: stopReason,
        error_class: failure?.class ?? null,
        error: failure === null ? null : shortened(failure.message),
        usage: {
          input_tokens: usage.inputTokens,
          cached_input_tokens: usage.cachedInputTokens,
          output_tokens: usage.outputTokens,
          reasoning_tokens: usage.reasoningTokens,
          total_tokens: usage.totalTokens
        }
      }
      return { type: "turn.ended", data }
    }
    case "ApprovalAsked": {
      const { deadlineAt, id, kind, title } = notice.approval
      const data = {
        turn_index: notice.turn,
        approval_id: id,
        kind,
        title: shortened(title),
        deadline_at: deadlineAt / 1000
      }
      return { type: "approval.asked", data }
    }
    case "SessionParked": {
      const { reason, until } = notice
      return {
        type: "session.parked",
        data: { reason: shortened(reason), until: until === null ? null : until / 1000 }
      }
    }
    case "SessionClosed":
      return { type: "session.closed", data: { reason: shortened(notice.reason) } }
    case "ProcessDied":
    case "ProcessRestarted":
    case "ApprovalExpired":
      return null
    default:
      return notice satisfies never
  }
}

/** Receivers bound their bodies, often at some kilobytes. */
const shortened = (text: string): string => (text.length <= 500 ? text : `${text.slice(0, 500)}…`)
