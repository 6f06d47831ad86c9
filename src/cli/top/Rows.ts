/**
 * The rows of the table: pages of a filter, updated by the server's steps, each of which has the session's row after it.
 * Rows keep their places; new ones go on top.
 */
import type { SessionRow, SessionRows, SlimStep } from "../../inspect/contract.ts"
import type { SessionFilter } from "../../inspect/client/api.ts"
import { afterRemoval, afterStep, arrivals, belongs, noFilter, noTally, tallyOf } from "../../inspect/client/rows.ts"
import type { NewerRows, Tally } from "../../inspect/client/rows.ts"

/** More are not loaded: a person filters before reading that many in a terminal. */
const mostRows = 2_000

export class Rows {
  filter: SessionFilter = noFilter
  tally: Tally = noTally
  /** Of the next page; `undefined` before the first, `null` after the last. */
  cursor: string | null | undefined = undefined
  #order: ReadonlyArray<string> = []
  readonly #rows = new Map<string, SessionRow>()
  #meanwhile: NewerRows | undefined

  get order(): ReadonlyArray<string> {
    return this.#order
  }

  get hasMore(): boolean {
    return typeof this.cursor === "string" && this.#order.length < mostRows
  }

  row(id: string | null): SessionRow | undefined {
    return id === null ? undefined : this.#rows.get(id)
  }

  /** Begins to record the steps that arrive while a page is loading: they are newer than the page. */
  expect(filter: SessionFilter): void {
    this.filter = filter
    this.#meanwhile = new Map()
  }

  page(answer: SessionRows, isFirst: boolean): void {
    const meanwhile = this.#meanwhile
    this.#meanwhile = undefined
    if (isFirst) {
      this.#order = []
      this.#rows.clear()
    }
    const rows = arrivals(answer, meanwhile, this.filter, (id) => this.#rows.has(id))
    for (const row of rows) this.#rows.set(row.session_id, row)
    this.#order = [...this.#order, ...rows.map(({ session_id }) => session_id)]
    this.cursor = answer.next_cursor
    this.tally = tallyOf(answer, meanwhile)
  }

  recounted(answer: SessionRows): void {
    this.tally = tallyOf(answer)
  }

  step(step: SlimStep): void {
    const { row } = step
    const id = row.session_id
    this.#meanwhile?.set(id, row)
    if (this.cursor === undefined) return
    this.tally = afterStep(this.tally, step, this.filter)
    const isKnown = this.#rows.has(id)
    if (!belongs(row, this.filter, isKnown)) return this.#drop(id)
    this.#rows.set(id, row)
    if (isKnown) return
    this.#order = [id, ...this.#order]
    const last = this.#order.at(-1)
    if (this.#order.length > mostRows && last !== undefined) this.#drop(last)
  }

  removed(id: string): void {
    this.#meanwhile?.set(id, null)
    this.tally = afterRemoval(this.tally, this.#rows.get(id))
    this.#drop(id)
  }

  #drop(id: string): void {
    if (this.#rows.delete(id)) this.#order = this.#order.filter((other) => other !== id)
  }
}
