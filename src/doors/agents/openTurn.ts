/** Where what runs begins: the first turn that is open, and its first event. */
import type { SessionBackend, SessionInfo } from "../../backend/Backend.ts"

/** The number of a turn's first event. */
export const firstSeq = async (session: SessionBackend, turn: number): Promise<number> => {
  for await (const { seq } of session.turnEvents(turn)) return seq
  return 1
}

/** Of turns that ended without having reached the agent. More of them in a row than a line of turns can have. */
const mostLooked = 256

/**
 * `null`: none is. Turns go to the agent one after the other: before one that it has had, and that is over, all are over. One that
 * was cancelled in line says nothing of those before it.
 */
export const earliestOpenTurn = async (session: SessionBackend, { turnCount }: SessionInfo): Promise<number | null> => {
  let open: number | null = null
  for (let index = turnCount; index > Math.max(0, turnCount - mostLooked); index--) {
    const { apiCalls, endedAt } = await session.turn(index)
    if (endedAt === null) open = index
    else if (apiCalls === 1) break
  }
  return open
}
