/** A session's conversation, read from its stored events: the result of one turn, and all turns in pages of messages. */
import { Effect, Option } from "effect"
import { resultOf } from "../conversation/turnResult.ts"
import { streamed } from "../domain/events/StreamedMessage.ts"
import type { SessionId } from "../domain/Ids.ts"
import { TurnNotFound } from "../domain/Refusal.ts"
import type { SessionRecord, StoredEvent } from "../domain/Session.ts"
import type { Message, TurnRecord, TurnResult } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError } from "../ledger/Ledger.ts"

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

/** A turn that has ended, as the news told it (`supervision/HeardTurns.ts`). */
export interface ToldTurn {
  /** All of its events up to now. */
  readonly events: ReadonlyArray<StoredEvent>
  /** As it is stored; `null`: it is to be read. */
  readonly row: TurnRecord | null
}

/** A class: each session has one, and what it can do is the same for all of them. */
export class Transcript {
  readonly #ledger: Ledger["Service"]

  constructor(ledger: Ledger["Service"]) {
    this.#ledger = ledger
  }

  resultOfTurn(turn: TurnRecord): Effect.Effect<TurnResult, LedgerError> {
    return Effect.map(this.#ledger.eventsOfTurn(turn.session, turn.index), (events) => resultWith(turn, events))
  }

  /** `told`: all events of the turn, where the caller has them, and its row where it has that too. */
  result(
    id: SessionId,
    index: number,
    told: ToldTurn | null = null
  ): Effect.Effect<TurnResult, LedgerError | TurnNotFound> {
    if (told !== null && told.row !== null) return Effect.succeed(resultWith(told.row, told.events))
    return Effect.flatMap(
      this.#ledger.turn(id, index),
      (row): Effect.Effect<TurnResult, LedgerError | TurnNotFound> => {
        if (Option.isNone(row)) return Effect.fail(new TurnNotFound({ index }))
        return told === null ? this.resultOfTurn(row.value) : Effect.succeed(resultWith(row.value, told.events))
      }
    )
  }

  /** Reads turn by turn: how much a turn's events hold is not known before they are read. */
  messages({ id, turnCount }: SessionRecord, query: TranscriptQuery) {
    return Effect.gen({ self: this }, function* () {
      const { after, before = turnCount + 1, limit } = query
      const messages: Array<Message> = []
      let last = after
      let characters = 0
      for (let n = 0; n < limit && characters < pageCharacters; n++) {
        const [row] = yield* this.#ledger.turns(id, last, 1)
        if (row === undefined || row.index >= before || row.status === "queued") return lastPage(messages)
        const turn = yield* this.resultOfTurn(row)
        // What the agent knows of the turn, where it finished more of it than was received.
        const ofTurn = turn.recovered?.messages ?? turn.messages
        messages.push(...ofTurn)
        characters += JSON.stringify(ofTurn).length
        last = row.index
      }
      return last + 1 < before ? ({ messages, next: last } satisfies TranscriptPage) : lastPage(messages)
    })
  }

  /**
   * The result of a settled turn. Its count of tool calls is stored in the turn's row, a call included that ended after
   * the turn. Reviews count a turn once, when it settles: calls that end later are counted for readers alone.
   */
  resultWithStoredToolCount(session: SessionId, index: number) {
    return Effect.tap(this.result(session, index), ({ turn: { toolIterations } }) =>
      this.storeToolCount(session, index, toolIterations)
    )
  }

  storeToolCount(session: SessionId, index: number, toolIterations: number): Effect.Effect<void> {
    return toolIterations === 0
      ? Effect.void
      : this.#ledger.writeLater([{ _tag: "TurnPatched", session, index, patch: { toolIterations } }])
  }
}

export const make = Effect.map(Ledger, (ledger) => new Transcript(ledger))

/** Its events are as they were streamed, so that an event is the same wherever it is read. */
const resultWith = (turn: TurnRecord, events: ReadonlyArray<StoredEvent>): TurnResult =>
  resultOf(
    turn,
    events.map((event) => streamed(event).message)
  )

const lastPage = (messages: ReadonlyArray<Message>): TranscriptPage => ({ messages, next: null })
