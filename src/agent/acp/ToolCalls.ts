/**
 * Remembers the tool calls of an ACP session: the turn, kind and title of each, and whether it has ended. Pure.
 *
 * The id of a call counts within its turn only. Providers begin to number anew in each turn (`call_0`; Kimi, Ollama), so
 * an id that comes back is another call, and nothing of the earlier one (its turn, its title) is taken for it. A command
 * that outlives its turn still ends in the turn that began it.
 */
import type { SessionUpdate } from "../../domain/Acp.ts"
import { nonEmptyTextIn } from "../../domain/json.ts"
import { forgetOldest } from "../forgetOldest.ts"

interface ToolCall {
  readonly turn: number | null
  readonly kind: string | null
  readonly title: string | null
  /** An update has reported it, and none has said that it completed or failed. */
  readonly open: boolean
}

/** The session that a call belongs to: `null` is our own, else a sub-agent's. Each numbers its calls by itself. */
export type ChildSession = string | null

export interface ToolCalls {
  /** Takes an update of a call. Gives the call's turn, where `turn` is the one that runs, or ran last. */
  readonly update: (session: ChildSession, id: string, update: SessionUpdate, turn: number | null) => number | null
  /** Takes a permission request for a call. Gives the kind and title that were reported for it. */
  readonly request: (
    session: ChildSession,
    id: string,
    reported: Pick<ToolCall, "kind" | "title">,
    turn: number | null
  ) => Pick<ToolCall, "kind" | "title">
  /** Ids of our own session's calls of this turn that have not ended. */
  readonly leftRunning: (turn: number) => ReadonlyArray<string>
}

/** How many calls are remembered. The oldest are forgotten first; their late updates go to the last turn. */
const maxToolCalls = 1_024

export const make = (): ToolCalls => {
  const calls = new Map<string, ToolCall>()
  const keyOf = (session: ChildSession, id: string) => `${session ?? ""}\n${id}`

  const remember = (key: string, call: ToolCall) => {
    // Set anew, so that a reused id is not the oldest.
    calls.delete(key)
    calls.set(key, call)
    forgetOldest(calls, maxToolCalls)
  }

  return {
    update: (session, id, update, turn) => {
      const key = keyOf(session, id)
      const { kind, sessionUpdate, status, title } = update
      const ended = status === "completed" || status === "failed"
      let earlier = calls.get(key)
      if (earlier !== undefined && earlier.turn !== turn) {
        // A call that has ended does not begin to run again, so this is another one.
        const begins = sessionUpdate === "tool_call" || (!earlier.open && typeof status === "string" && !ended)
        if (begins) earlier = undefined
      }
      const call: ToolCall = {
        turn: earlier === undefined ? turn : earlier.turn,
        kind: nonEmptyTextIn(kind) ?? earlier?.kind ?? null,
        title: nonEmptyTextIn(title) ?? earlier?.title ?? null,
        open: typeof status === "string" ? !ended : (earlier?.open ?? true)
      }
      remember(key, call)
      return call.turn
    },
    request: (session, id, { kind, title }, turn) => {
      const key = keyOf(session, id)
      const earlier = calls.get(key)
      if (earlier !== undefined && earlier.turn === turn) {
        return { kind: kind ?? earlier.kind, title: title ?? earlier.title }
      }
      // Gemini asks before it reports the call. One of an earlier turn that still runs keeps its turn.
      if (earlier === undefined || !earlier.open) remember(key, { turn, kind, title, open: false })
      return { kind, title }
    },
    leftRunning: (turn) =>
      [...calls].flatMap(([key, call]) =>
        call.turn === turn && call.open && key.startsWith("\n") ? [key.slice(1)] : []
      )
  }
}
