/** Turns whose end was not received, and what the agent itself knows of them. */
import type { UpdateMessage } from "../domain/Acp.ts"
import type { StopReason } from "../domain/Turn.ts"

/** Turns that were handed to an earlier process, and whose end was not received, oldest first. */
export interface LostTurns {
  readonly turns: ReadonlyArray<{ readonly turn: number; readonly agentTurnId: string | null; readonly prompt: string }>
  /** The agent's ids of other turns of the session. */
  readonly otherIds: ReadonlySet<string>
}

/** A turn that the agent has finished by itself: all that it said and did in it, the words that steered it included. */
export interface RecoveredTurn {
  readonly turn: number
  readonly stopReason: StopReason
  readonly updates: ReadonlyArray<UpdateMessage>
}
