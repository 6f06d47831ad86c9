/** Turns as the news told them, from their submissions on: whoever waited for a turn's end need not read it. */
import { costIn } from "../domain/Cost.ts"
import type { StoredEvent } from "../domain/Session.ts"
import type { TurnRecord } from "../domain/Turn.ts"
import type { SessionNews } from "../runtime/News.ts"

/** A turn that has ended. */
export interface ToldTurn {
  /** All of its events up to now. */
  readonly events: ReadonlyArray<StoredEvent>
  /** As it is stored; `null`: it is to be read. */
  readonly row: TurnRecord | null
}

/** Characters of JSON that are kept for one wait. A turn that says more is read, as is one whose events may not all have been told. */
const mostCharacters = 32_768

export class HeardTurns {
  #turns: Map<number, Array<StoredEvent>> | null = new Map()
  #rows: ReadonlyArray<TurnRecord> = []
  #characters = 0

  /** To be called with all news of the session, in their order. */
  hear({ stored }: SessionNews): void {
    if (this.#turns === null) return
    if (stored === null) return this.forget()
    this.#characters += stored.characters
    if (this.#characters > mostCharacters) return this.forget()
    const begun = stored.step?.event
    if (begun?.type === "turn.submitted") this.#turns.set(begun.turn, [])
    if (stored.step !== null && stored.step.ended.length > 0) this.#rows = [...this.#rows, ...stored.step.ended]
    for (const event of stored.events) if (event.turn !== null) this.#turns.get(event.turn)?.push(event)
  }

  /** Nothing is kept from now on. */
  forget(): void {
    this.#turns = null
    this.#rows = []
  }

  /** The turn, once; `null`: it is to be read. */
  take(turn: number): ToldTurn | null {
    const heard = this.#turns?.get(turn)
    const row = this.#rows.find(({ index }) => index === turn) ?? null
    this.forget()
    if (heard === undefined) return null
    // A step is told when the session has advanced to it, and what its agent said meanwhile may have been told before.
    const events = heard.toSorted((one, other) => one.seq - other.seq)
    // What a turn cost is the ledger's to say: its agent tells what all turns cost.
    return { events, row: events.some(({ message }) => costIn(message) !== null) ? null : row }
  }
}
