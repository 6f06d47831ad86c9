/** What is stored of turns, without waiting for more of it. */
import type { SessionBackend, SessionInfo } from "../../backend/Backend.ts"
import type { StreamedEvent } from "../../domain/events/StreamedMessage.ts"
import { objectIn } from "../../domain/json.ts"

/** The number of a turn's first event. */
export const firstSeq = async (session: SessionBackend, turn: number): Promise<number> => {
  for await (const { seq } of session.turnEvents(turn)) return seq
  return 1
}

/** A turn's events to its end, or what there is by now. */
export async function* storedEvents(session: SessionBackend, turn: number): AsyncGenerator<StreamedEvent> {
  const from = (await firstSeq(session, turn)) - 1
  for await (const event of session.events(from, false)) {
    if (event.turn !== turn) continue
    yield event
    if (isEnd(event)) return
  }
}

const isEnd = ({ message }: StreamedEvent): boolean =>
  message.method === "_troupe/turn" && objectIn(message.params)["phase"] === "ended"

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
