/** The stored events of one turn, without waiting for more of them. */
import type { SessionBackend } from "../../backend/Backend.ts"
import type { StreamedEvent } from "../../domain/events/StreamedMessage.ts"
import { objectIn } from "../../domain/json.ts"

/** The number of a turn's first one. */
export const firstSeq = async (session: SessionBackend, turn: number): Promise<number> => {
  for await (const { seq } of session.turnEvents(turn)) return seq
  return 1
}

/** To its end, or what there is by now. */
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
