/**
 * Remembers the tool calls of an ACP session: the turn of each, what it will do, and whether it has ended. Pure.
 *
 * The id of a call counts within its turn only. Providers begin to number anew in each turn (`call_0`; Kimi, Ollama), so
 * an id that comes back is another call, and nothing of the earlier one (its turn, its title) is taken for it. A command
 * that outlives its turn still ends in the turn that began it.
 *
 * Gemini announces a call that needs permission by its request only (ACP lets it), and then sends the call's end. Such an
 * update is passed on as the `tool_call` that never came, with what the request said of it.
 */
import type { SessionUpdate } from "../../domain/Acp.ts"
import type { JsonObject } from "../../domain/json.ts"
import { factsIn, merged } from "./callFacts.ts"
import type { CallFacts } from "./callFacts.ts"
import { forgetOldest } from "../forgetOldest.ts"

interface ToolCall {
  readonly turn: number | null
  readonly facts: CallFacts
  /** `asked`: only a request for permission has named it. */
  readonly state: "asked" | "open" | "ended"
}

export interface ToolCalls {
  /**
   * Takes an update of a call. Gives it as observers see it, and the call's turn, where `turn` is the one that runs, or ran
   * last.
   */
  readonly update: (
    id: string,
    update: SessionUpdate,
    turn: number | null
  ) => { readonly turn: number | null; readonly update: SessionUpdate }
  /** Takes a permission request for a call, and gives all that was said of the call. */
  readonly request: (
    id: string,
    request: { readonly facts: CallFacts; readonly toolCall: JsonObject },
    turn: number | null
  ) => CallFacts
  /** Ids of the calls of this turn that have not ended. */
  readonly leftRunning: (turn: number) => ReadonlyArray<string>
}

/** How many calls are remembered. The oldest are forgotten first; their late updates go to the last turn. */
const maxToolCalls = 1_024

export const make = (): ToolCalls => {
  const calls = new Map<string, ToolCall>()
  /** What requests said of calls that only they have named. Of one turn, because an input can be long. */
  const requested = new Map<string, JsonObject>()
  let requestedIn: number | null = null

  /** The call that was remembered last. */
  let newest = ""

  const remember = (id: string, call: ToolCall) => {
    // Set anew, so that a reused id is not the oldest.
    if (id !== newest) calls.delete(id)
    newest = id
    calls.set(id, call)
    forgetOldest(calls, maxToolCalls)
  }

  return {
    update: (id, update, turn) => {
      const { sessionUpdate, status } = update
      const ends = status === "completed" || status === "failed"
      let earlier = calls.get(id)
      // A call that has ended, or is of an earlier turn, does not begin again, so this is another one.
      const begins =
        sessionUpdate === "tool_call" || (earlier?.state === "ended" && typeof status === "string" && !ends)
      if (begins && (earlier?.state === "ended" || earlier?.turn !== turn)) earlier = undefined
      const call: ToolCall = {
        turn: earlier === undefined ? turn : earlier.turn,
        facts: earlier === undefined ? factsIn(update) : merged(earlier.facts, factsIn(update)),
        state: ends ? "ended" : typeof status !== "string" && earlier?.state === "ended" ? "ended" : "open"
      }
      remember(id, call)
      const announcement = requested.get(id)
      requested.delete(id)
      const isAnnouncedByRequest = earlier?.state === "asked" && sessionUpdate === "tool_call_update"
      return {
        turn: call.turn,
        update: isAnnouncedByRequest ? { ...announcement, ...update, sessionUpdate: "tool_call" } : update
      }
    },
    request: (id, { facts, toolCall }, turn) => {
      if (turn !== requestedIn) requested.clear()
      requestedIn = turn
      const earlier = calls.get(id)
      if (earlier !== undefined && earlier.turn === turn && earlier.state !== "ended") {
        return merged(earlier.facts, facts)
      }
      // Gemini asks before it reports the call. One of an earlier turn that still runs keeps its turn.
      if (earlier?.state !== "open") {
        remember(id, { turn, facts, state: "asked" })
        requested.set(id, toolCall)
      }
      return facts
    },
    leftRunning: (turn) => [...calls].flatMap(([id, call]) => (call.turn === turn && call.state === "open" ? [id] : []))
  }
}
