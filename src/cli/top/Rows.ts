/**
 * The rows of the table as the server told them: pages of a filter, and the steps in between, of which each has its row
 * as it is after it. Rows keep their places; what is new goes on top.
 */
import type { SessionRow, SessionRows, SlimStep, State } from "../../inspect/contract.ts"
import type { SessionFilter } from "../../inspect/client/api.ts"
import { stateOf } from "../../inspect/client/tones.ts"

/** Who wants to see further filters: nobody reads that many in a terminal. */
const mostRows = 2_000

export const noFilter: SessionFilter = { q: "", state: null, agent: null, app: null }

export class Rows {
  filter: SessionFilter = noFilter
  counts: SessionRows["counts"] = { idle: 0, turning: 0, retiring: 0, closed: 0 }
  /** How many match, here and at the server. */
  count = 0
  /** Counts that were reckoned and not told: worth asking for, when there is time. */
  isUnsure = false
  /** Of the next page; `undefined` before the first, `null` after the last. */
  cursor: string | null | undefined = undefined
  #order: ReadonlyArray<string> = []
  readonly #rows = new Map<string, SessionRow>()
  /** What was told while a page was on its way: younger than the page. */
  #during: Map<string, SessionRow | null> | undefined

  get order(): ReadonlyArray<string> {
    return this.#order
  }

  get hasMore(): boolean {
    return typeof this.cursor === "string" && this.#order.length < mostRows
  }

  row(id: string | null): SessionRow | undefined {
    return id === null ? undefined : this.#rows.get(id)
  }

  /** From here on news is kept for the page that comes. */
  expect(filter: SessionFilter): void {
    this.filter = filter
    this.#during = new Map()
  }

  page(answer: SessionRows, isFirst: boolean): void {
    const during = this.#during
    this.#during = undefined
    if (isFirst) {
      this.#order = []
      this.#rows.clear()
    }
    const order = [...this.#order]
    for (const told of answer.sessions) {
      const id = told.session_id
      const later = during?.get(id)
      if (later === null || this.#rows.has(id)) continue
      const row = later ?? told
      if (!fits(row.state, row, this.filter)) continue
      this.#rows.set(id, row)
      order.push(id)
    }
    this.#order = order
    this.cursor = answer.next_cursor
    this.recounted(answer)
    this.isUnsure = (during?.size ?? 0) > 0
  }

  recounted({ count, counts }: SessionRows): void {
    this.count = count
    this.counts = counts
    this.isUnsure = false
  }

  step(step: SlimStep): void {
    const { row } = step
    const id = row.session_id
    this.#during?.set(id, row)
    if (this.cursor === undefined) return
    this.#count(step)
    const isKnown = this.#rows.has(id)
    if (isKnown && !fits(row.state, row, this.filter)) return this.#drop(id)
    if (!isKnown && !matches(row, this.filter)) return
    this.#rows.set(id, row)
    if (isKnown) return
    this.#order = [id, ...this.#order]
    const last = this.#order.at(-1)
    if (this.#order.length > mostRows && last !== undefined) this.#drop(last)
  }

  removed(id: string): void {
    this.#during?.set(id, null)
    const row = this.#rows.get(id)
    this.isUnsure = true
    if (row === undefined) return
    this.count -= 1
    this.#shift(row.state, undefined)
    this.#drop(id)
  }

  #count({ event, from, row, seq }: SlimStep): void {
    const isNew = seq === 0 || event === "created"
    const before = isNew ? undefined : (stateOf(from) as State)
    this.#shift(before, row.state)
    const was = before !== undefined && fits(before, row, this.filter)
    const is = fits(row.state, row, this.filter)
    if (was === is) return
    this.count = Math.max(0, this.count + (is ? 1 : -1))
    // A search is the server's.
    this.isUnsure ||= this.filter.q !== ""
  }

  #shift(from: State | undefined, to: State | undefined): void {
    if (from === to) return
    const counts = { ...this.counts }
    if (from !== undefined) counts[from] = Math.max(0, counts[from] - 1)
    if (to !== undefined) counts[to] += 1
    this.counts = counts
  }

  #drop(id: string): void {
    this.#rows.delete(id)
    this.#order = this.#order.filter((other) => other !== id)
  }
}

const fits = (state: string, row: SessionRow, { agent, app, state: wanted }: SessionFilter): boolean =>
  (wanted === null || state === wanted) && (agent === null || row.agent === agent) && (app === null || row.app === app)

/** As far as can be told from here: the server also searches in what a row does not have. */
const matches = (row: SessionRow, filter: SessionFilter): boolean =>
  fits(row.state, row, filter) &&
  `${row.session_id} ${row.app} ${row.agent} ${row.substate}`.toLowerCase().includes(filter.q.toLowerCase())
