/** The events of turns as the news told them, from their submissions on: whoever waited for a turn's end need not read them. */
import type { StoredEvent } from "../domain/Session.ts"
import type { SessionNews } from "../runtime/News.ts"

/** Characters of JSON that are kept for one wait. A turn that says more is read, as is one whose events may not all have been told. */
const mostCharacters = 32_768

export class HeardTurns {
  #turns: Map<number, Array<StoredEvent>> | null = new Map()
  #characters = 0

  /** To be called with all news of the session, in their order. */
  hear({ stored }: SessionNews): void {
    if (this.#turns === null) return
    if (stored === null) return this.forget()
    this.#characters += stored.characters
    if (this.#characters > mostCharacters) return this.forget()
    const begun = stored.step?.event
    if (begun?.type === "turn.submitted") this.#turns.set(begun.turn, [])
    for (const event of stored.events) if (event.turn !== null) this.#turns.get(event.turn)?.push(event)
  }

  /** Nothing is kept from now on. */
  forget(): void {
    this.#turns = null
  }

  /** All events of the turn up to now, once; `null`: they are to be read. */
  take(turn: number): ReadonlyArray<StoredEvent> | null {
    const heard = this.#turns?.get(turn) ?? null
    this.forget()
    // A step is told when the session has advanced to it, and what its agent said meanwhile may have been told before.
    return heard?.toSorted((one, other) => one.seq - other.seq) ?? null
  }
}
