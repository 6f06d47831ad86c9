/** Turns as the news told them, from their submissions on: whoever waited for a turn's end need not read it. */
import { costIn } from "../domain/Cost.ts"
import type { StoredEvent } from "../domain/Session.ts"
import type { TurnRecord } from "../domain/Turn.ts"
import type { SessionNews } from "../runtime/News.ts"
import type { ToldTurn } from "../runtime/Transcript.ts"

interface Heard {
  readonly events: Array<StoredEvent>
  row: TurnRecord | null
}

/** Characters of JSON that are kept for one wait. A turn that says more is read, as is one whose events may not all have been told. */
const mostCharacters = 32_768

export class HeardTurns {
  #turns: Map<number, Heard> | null = new Map()
  #characters = 0

  /** To be called with all news of the session, in their order. */
  hear({ stored }: SessionNews): void {
    if (this.#turns === null) return
    if (stored === null) return this.forget()
    this.#characters += stored.characters
    if (this.#characters > mostCharacters) return this.forget()
    const begun = stored.step?.event
    if (begun?.type === "turn.submitted") this.#turns.set(begun.turn, { events: [], row: null })
    for (const event of stored.events) if (event.turn !== null) this.#turns.get(event.turn)?.events.push(event)
    for (const row of stored.step?.ended ?? []) {
      const ended = this.#turns.get(row.index)
      if (ended !== undefined) ended.row = row
    }
  }

  /** Nothing is kept from now on. */
  forget(): void {
    this.#turns = null
  }

  /** The turn, once; `null`: it is to be read. */
  take(turn: number): ToldTurn | null {
    const heard = this.#turns?.get(turn)
    this.forget()
    if (heard === undefined) return null
    // A step is told when the session has advanced to it, and what its agent said meanwhile may have been told before.
    const events = heard.events.toSorted((one, other) => one.seq - other.seq)
    // What a turn cost is the ledger's to say: its agent tells what all turns cost.
    return { events, row: events.some(({ message }) => costIn(message) !== null) ? null : heard.row }
  }
}
