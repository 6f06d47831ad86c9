/** Waits for a turn: until it has ended, needs an answer, or the time is over. */
import type { SessionBackend } from "../../backend/Backend.ts"
import type { ApprovalRecord } from "../../domain/Approval.ts"
import { cut } from "../../domain/cut.ts"
import { nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { StreamedMessage } from "../../domain/events/StreamedMessage.ts"
import { untilAborted } from "../untilAborted.ts"
import type { Seen } from "./reports.ts"

/** Lines of activity in one answer, and characters in each. */
const activityLines = 12
const lineLength = 200

export interface FollowOptions {
  readonly after: number | undefined
  readonly millis: number
  /** Of the call: its host has given it up. */
  readonly signal: AbortSignal
  /** Called for each thing that the agent does. */
  readonly onActivity: (line: string) => void
}

export const follow = async (session: SessionBackend, turn: number, options: FollowOptions): Promise<Seen> => {
  const { after, millis, onActivity, signal } = options
  const activity: Array<string> = []
  let cursor = after ?? null
  let approvals = await pendingOf(session, turn)
  if (approvals.length > 0 || millis === 0) return { approvals, activity, cursor }

  const leaving = new AbortController()
  const over = AbortSignal.any([signal, leaving.signal, AbortSignal.timeout(millis)])
  try {
    for await (const { message, seq } of untilAborted(session.turnEvents(turn, after), over)) {
      cursor = seq
      const line = lineOf(message)
      if (line !== null) {
        activity.push(line)
        if (activity.length > activityLines) activity.shift()
        onActivity(line)
      }
      // One that was asked before may have been settled since.
      if (message.method === "_troupe/approval_asked") approvals = await pendingOf(session, turn)
      if (approvals.length > 0) break
    }
  } finally {
    leaving.abort()
  }
  return { approvals, activity, cursor }
}

const pendingOf = async (session: SessionBackend, turn: number): Promise<ReadonlyArray<ApprovalRecord>> =>
  (await session.approvals()).filter((approval) => approval.turn === turn)

/** What an event is in a line for the host; `null`: it is nothing that a host acts on. Texts are in the answer. */
const lineOf = (message: StreamedMessage): string | null => {
  const params = objectIn((message as { readonly params?: unknown }).params)
  switch (message.method) {
    case "session/update": {
      const update = objectIn(params["update"])
      if (update["sessionUpdate"] !== "tool_call") return null
      return line(`tool: ${nonEmptyTextIn(update["title"]) ?? nonEmptyTextIn(update["kind"]) ?? "unnamed"}`)
    }
    case "_troupe/turn":
      return `turn ${String(params["phase"])}`
    case "_troupe/approval_asked":
      return line(`asks: ${String(params["title"])}`)
    case "_troupe/approval_settled":
      return line(`answered: ${String(params["decision"])}`)
    case "_troupe/context_lost":
      return line(`lost its context: ${String(params["reason"])}`)
    case "_troupe/mcp_failed":
      return line(`MCP server failed: ${String(params["message"])}`)
    default:
      return null
  }
}

const line = (text: string) => cut(text.replace(/\s+/g, " "), lineLength)
