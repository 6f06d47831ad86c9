/** The commands of the session machine with what each carries: actions as data, named once and used by its arrows. */
import type { SessionContext } from "./events.ts"

export interface Given {
  readonly context: SessionContext
}

const ofThisProcess = ({ context }: Given) => ({ generation: context.generation })
const ofThisTurn = ({ context }: Given) => ({ turn: context.turn })

export const openTurn = {
  type: "openTurn" as const,
  params: ({ context }: Given) => ({ turn: context.turn, timeoutMillis: context.timeoutMillis })
}
export const handPrompt = [{ type: "handPrompt" as const, params: ofThisTurn }, "notePrompted" as const]
export const askToExit = { type: "askToExit" as const, params: ofThisProcess }
export const terminateProcess = { type: "terminateProcess" as const, params: ofThisProcess }
export const endProcess = { type: "endProcess" as const, params: ofThisProcess }
export const interruptTurn = { type: "interruptTurn" as const, params: ofThisTurn }
export const releaseSlot = { type: "releaseSlot" as const, params: ofThisProcess }
/** Counts first: the command carries the new process's number. */
export const startProcess = [
  "countProcess" as const,
  {
    type: "startProcess" as const,
    params: ({ context: { generation, thread, unspoken } }: Given) => ({
      generation,
      thread: unspoken ? null : thread
    })
  }
]
/** An urgent request waits for a slot, and not before the backoff is over; one that is not is refused at once. */
export const takeSlot = (urgent: boolean) => ({
  type: "takeSlot" as const,
  params: ({ context }: Given) => ({ urgent, notBefore: urgent ? context.restarts.retryAt : 0 })
})
