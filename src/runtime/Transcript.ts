/** A session's conversation, read from its stored events: the result of one turn, and all turns in pages of messages. */
import { Effect, Option } from "effect"
import { resultOf } from "../conversation/turnResult.ts"
import { streamed } from "../domain/events/StreamedMessage.ts"
import type { SessionId } from "../domain/Ids.ts"
import { TurnNotFound } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { Message, TurnRecord } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"

/** Messages of whole turns, oldest first; `next` is the turn after which the next page begins. */
export interface TranscriptPage {
  readonly messages: ReadonlyArray<Message>
  readonly next: number | null
}

/** A page ends with the turn that exceeds this. */
const pageCharacters = 4 * 1024 * 1024

export interface TranscriptQuery {
  readonly after: number
  readonly limit: number
  readonly before?: number | undefined
}

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger

  /** Its events are as they were streamed, so that an event is the same wherever it is read. */
  const resultOfTurn = (turn: TurnRecord) =>
    Effect.map(ledger.eventsOfTurn(turn.session, turn.index), (events) =>
      resultOf(
        turn,
        events.map((event) => streamed(event).message)
      )
    )

  const result = Effect.fnUntraced(function* (id: SessionId, index: number) {
    const row = yield* ledger.turn(id, index)
    return Option.isNone(row) ? yield* new TurnNotFound({ index }) : yield* resultOfTurn(row.value)
  })

  /** Reads turn by turn: how much a turn's events hold is not known before they are read. */
  const messages = Effect.fnUntraced(function* ({ id, turnCount }: SessionRecord, query: TranscriptQuery) {
    const { after, before = turnCount + 1, limit } = query
    const messages: Array<Message> = []
    let last = after
    let characters = 0
    for (let n = 0; n < limit && characters < pageCharacters; n++) {
      const [row] = yield* ledger.turns(id, last, 1)
      if (row === undefined || row.index >= before || row.status === "queued") return lastPage(messages)
      const turn = yield* resultOfTurn(row)
      // What the agent knows of the turn, where it finished more of it than was received.
      const ofTurn = turn.recovered?.messages ?? turn.messages
      messages.push(...ofTurn)
      characters += JSON.stringify(ofTurn).length
      last = row.index
    }
    return last + 1 < before ? ({ messages, next: last } satisfies TranscriptPage) : lastPage(messages)
  })

  /**
   * The result of a settled turn. Its count of tool calls is stored in the turn's row, a call included that ended after
   * the turn. Reviews count a turn once, when it settles: calls that end later are counted for readers alone.
   */
  const resultWithStoredToolCount = Effect.fnUntraced(function* (session: SessionId, index: number) {
    const settled = yield* result(session, index)
    const { toolIterations } = settled.turn
    if (toolIterations > 0) {
      yield* ledger.writeLater([{ _tag: "TurnPatched", session, index, patch: { toolIterations } }])
    }
    return settled
  })

  return { resultOfTurn, result, resultWithStoredToolCount, messages } as const
})

const lastPage = (messages: ReadonlyArray<Message>): TranscriptPage => ({ messages, next: null })
