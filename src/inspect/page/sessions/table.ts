/**
 * The rows that the page has, as signals: one for each row, so that a step draws one row anew and not the table.
 *
 * Rows stay where they are while somebody reads them. What is new goes on top where the reader stands at the top, and
 * waits to be let in where not.
 */
import { batch, signal } from "@preact/signals"
import type { Signal } from "@preact/signals"
import type { SessionRow, SessionRows, SlimStep, State } from "../../contract.ts"
import type { SessionFilter } from "../../client/api.ts"
import { stateOf } from "../../client/tones.ts"

export interface LiveRow {
  readonly row: SessionRow
  /** When it changed under the reader's eyes, in milliseconds of `performance.now()`; 0 where it did not. */
  readonly changedAt: number
}

export type Counts = SessionRows["counts"]

const noCounts: Counts = { idle: 0, turning: 0, retiring: 0, closed: 0 }

/** Whether a row is to be shown, as far as the page can tell: the server also searches in what a row does not have. */
export const matches = (row: SessionRow, filter: SessionFilter): boolean =>
  fits(row.state, row, filter) &&
  `${row.session_id} ${row.app} ${row.agent} ${row.substate}`.toLowerCase().includes(filter.q.toLowerCase())

const fits = (state: string, row: SessionRow, { agent, app, state: wanted }: SessionFilter): boolean =>
  (wanted === null || state === wanted) && (agent === null || row.agent === agent) && (app === null || row.app === app)

export class Table {
  readonly order = signal<ReadonlyArray<string>>([])
  /** New ones that the reader has not let in. */
  readonly waiting = signal<ReadonlyArray<string>>([])
  readonly count = signal(0)
  readonly counts = signal<Counts>(noCounts)
  readonly agents = signal<ReadonlyArray<string>>([])
  readonly apps = signal<ReadonlyArray<string>>([])
  /** `undefined` before the first page, `null` after the last. */
  readonly cursor = signal<string | null | undefined>(undefined)
  /** Counts that were reckoned and not told: worth asking for, when there is time. */
  isUnsure = false

  readonly #rows = new Map<string, Signal<LiveRow>>()
  /** What was told while a page was on its way: younger than the page. */
  #during: Map<string, SessionRow | null> | undefined
  #filter: SessionFilter = { q: "", state: null, agent: null, app: null }

  row(id: string): Signal<LiveRow> | undefined {
    return this.#rows.get(id)
  }

  /** From here on news is kept for the page that comes. */
  expect(filter: SessionFilter): void {
    this.#filter = filter
    this.#during = new Map()
  }

  /** Everything that was there is of another filter, another reader or another time. */
  clear(): void {
    batch(() => {
      this.#rows.clear()
      this.#during = undefined
      this.order.value = []
      this.waiting.value = []
      this.cursor.value = undefined
    })
  }

  page(answer: SessionRows, isFirst: boolean): void {
    batch(() => {
      const during = this.#during
      this.#during = undefined
      if (isFirst) this.clear()
      const order = [...this.order.value]
      const shown = new Set([...order, ...this.waiting.value])
      for (const told of answer.sessions) {
        const row = during?.get(told.session_id) ?? told
        if (during?.get(told.session_id) === null || shown.has(told.session_id)) continue
        if (!fits(row.state, row, this.#filter)) continue
        this.#rows.set(row.session_id, signal({ row, changedAt: 0 }))
        order.push(row.session_id)
      }
      this.order.value = order
      this.cursor.value = answer.next_cursor
      this.recounted(answer)
      this.isUnsure = (during?.size ?? 0) > 0
    })
  }

  recounted({ agents, apps, count, counts }: SessionRows): void {
    this.isUnsure = false
    this.count.value = count
    this.counts.value = counts
    this.agents.value = agents
    this.apps.value = apps
  }

  /** `isAtTop`: new rows may be put in, nobody loses the place where they read. */
  steps(steps: ReadonlyArray<SlimStep>, isAtTop: boolean, nowMillis: number): void {
    batch(() => {
      const gone = new Set<string>()
      const fresh: Array<string> = []
      for (const step of steps) {
        this.#during?.set(step.row.session_id, step.row)
        this.#count(step)
        const { row } = step
        const known = this.#rows.get(row.session_id)
        // Found by the server in something that a row does not show: its text does not make it leave.
        const isShown = known === undefined ? matches(row, this.#filter) : fits(row.state, row, this.#filter)
        if (known !== undefined && isShown) {
          known.value = { row, changedAt: nowMillis }
          gone.delete(row.session_id)
        } else if (known !== undefined) gone.add(row.session_id)
        else if (isShown && this.cursor.value !== undefined) {
          this.#rows.set(row.session_id, signal({ row, changedAt: nowMillis }))
          fresh.push(row.session_id)
        }
      }
      this.#drop(gone)
      if (fresh.length === 0) return
      const added = fresh.filter((id) => !gone.has(id)).toReversed()
      if (isAtTop) this.order.value = [...added, ...this.order.value]
      else this.waiting.value = [...added, ...this.waiting.value]
    })
  }

  removed(id: string): void {
    batch(() => {
      this.#during?.set(id, null)
      const row = this.#rows.get(id)?.peek().row
      this.isUnsure ||= row === undefined
      if (row === undefined) return
      this.count.value -= 1
      this.#shift(row.state, undefined)
      this.#drop(new Set([id]))
    })
  }

  letIn(): void {
    batch(() => {
      this.order.value = [...this.waiting.value, ...this.order.value]
      this.waiting.value = []
    })
  }

  #count({ event, from, row, seq }: SlimStep): void {
    const isNew = seq === 0 || event === "created"
    const before = isNew ? undefined : (stateOf(from) as State)
    this.#shift(before, row.state)
    const was = before !== undefined && fits(before, row, this.#filter)
    const is = fits(row.state, row, this.#filter)
    if (was !== is) {
      this.count.value += is ? 1 : -1
      // A search is the server's.
      this.isUnsure ||= this.#filter.q !== ""
    }
    if (isNew && !this.agents.value.includes(row.agent)) this.isUnsure = true
  }

  #shift(from: State | undefined, to: State | undefined): void {
    if (from === to) return
    const counts = { ...this.counts.value }
    if (from !== undefined) counts[from] = Math.max(0, counts[from] - 1)
    if (to !== undefined) counts[to] += 1
    this.counts.value = counts
  }

  #drop(ids: ReadonlySet<string>): void {
    if (ids.size === 0) return
    for (const id of ids) this.#rows.delete(id)
    this.order.value = this.order.value.filter((id) => !ids.has(id))
    if (this.waiting.value.some((id) => ids.has(id)))
      this.waiting.value = this.waiting.value.filter((id) => !ids.has(id))
  }
}
