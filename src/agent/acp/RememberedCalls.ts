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

/** How many calls are remembered. The oldest are forgotten first; their late updates go to the last turn. */
const maxToolCalls = 1_024

export class RememberedCalls {
  readonly #calls = new Map<string, ToolCall>()
  /** What requests said of calls that only they have named. Of one turn, because an input can be long. `null`: nothing yet. */
  #requested: Map<string, JsonObject> | null = null
  #requestedIn: number | null = null
  /** The call that was remembered last. */
  #newest = ""

  /**
   * Takes an update of a call. Gives it as observers see it, and the call's turn, where `turn` is the one that runs, or ran
   * last.
   */
  update(
    id: string,
    update: SessionUpdate,
    turn: number | null
  ): { readonly turn: number | null; readonly update: SessionUpdate } {
    const { sessionUpdate, status } = update
    const ends = status === "completed" || status === "failed"
    let earlier = this.#calls.get(id)
    // A call that has ended, or is of an earlier turn, does not begin again, so this is another one.
    const begins = sessionUpdate === "tool_call" || (earlier?.state === "ended" && typeof status === "string" && !ends)
    if (begins && (earlier?.state === "ended" || earlier?.turn !== turn)) earlier = undefined
    const call: ToolCall = {
      turn: earlier === undefined ? turn : earlier.turn,
      facts: earlier === undefined ? factsIn(update) : merged(earlier.facts, factsIn(update)),
      state: ends ? "ended" : typeof status !== "string" && earlier?.state === "ended" ? "ended" : "open"
    }
    this.#remember(id, call)
    const announcement = this.#requested?.get(id)
    this.#requested?.delete(id)
    const isAnnouncedByRequest = earlier?.state === "asked" && sessionUpdate === "tool_call_update"
    return {
      turn: call.turn,
      update: isAnnouncedByRequest ? { ...announcement, ...update, sessionUpdate: "tool_call" } : update
    }
  }

  /** Takes a permission request for a call, and gives all that was said of the call. */
  request(
    id: string,
    { facts, toolCall }: { readonly facts: CallFacts; readonly toolCall: JsonObject },
    turn: number | null
  ): CallFacts {
    if (turn !== this.#requestedIn) this.#requested = null
    this.#requestedIn = turn
    const earlier = this.#calls.get(id)
    if (earlier !== undefined && earlier.turn === turn && earlier.state !== "ended") {
      return merged(earlier.facts, facts)
    }
    // Gemini asks before it reports the call. One of an earlier turn that still runs keeps its turn.
    if (earlier?.state !== "open") {
      this.#remember(id, { turn, facts, state: "asked" })
      this.#requested ??= new Map()
      this.#requested.set(id, toolCall)
    }
    return facts
  }

  /** Ids of the calls of this turn that have not ended. */
  leftRunning(turn: number): ReadonlyArray<string> {
    return [...this.#calls].flatMap(([id, call]) => (call.turn === turn && call.state === "open" ? [id] : []))
  }

  #remember(id: string, call: ToolCall): void {
    // Set anew, so that a reused id is not the oldest.
    if (id !== this.#newest) this.#calls.delete(id)
    this.#newest = id
    this.#calls.set(id, call)
    forgetOldest(this.#calls, maxToolCalls)
  }
}
