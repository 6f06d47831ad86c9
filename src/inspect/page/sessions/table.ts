/**
 * The rows that the page has, as signals: one for each row, so that a step renders one row and not the table.
 *
 * Rows keep their place while somebody reads them. A new row is added on top where the reader is at the top, and
 * otherwise waits until the reader asks for it.
 */
import { batch, computed, signal } from "@preact/signals"
import type { Signal } from "@preact/signals"
import type { SessionRow, SessionRows, SlimStep } from "../../contract.ts"
import type { SessionFilter } from "../../client/api.ts"
import { afterRemoval, afterStep, arrivals, belongs, isFirst, noFilter, noTally, tallyOf } from "../../client/rows.ts"
import type { NewerRows } from "../../client/rows.ts"

export interface LiveRow {
  readonly row: SessionRow
  /** When it changed while it was shown, in milliseconds of `performance.now()`; 0 where it did not. */
  readonly changedAt: number
}

export class Table {
  readonly order = signal<ReadonlyArray<string>>([])
  /** New rows that the reader has not asked for. */
  readonly waiting = signal<ReadonlyArray<string>>([])
  readonly agents = signal<ReadonlyArray<string>>([])
  readonly apps = signal<ReadonlyArray<string>>([])
  readonly nodes = signal<ReadonlyArray<string>>([])
  /** `undefined` before the first page, `null` after the last. */
  readonly cursor = signal<string | null | undefined>(undefined)

  readonly #tally = signal(noTally)
  readonly count = computed(() => this.#tally.value.count)
  readonly counts = computed(() => this.#tally.value.counts)

  readonly #rows = new Map<string, Signal<LiveRow>>()
  #newerRows: NewerRows | undefined
  #filter: SessionFilter = noFilter

  row(id: string): Signal<LiveRow> | undefined {
    return this.#rows.get(id)
  }

  /** The counts were computed here and may differ from the server's. */
  get isUnsure(): boolean {
    return this.#tally.peek().isUnsure
  }

  /** From here on changes are recorded for the page that is being fetched. */
  expect(filter: SessionFilter): void {
    this.#filter = filter
    this.#newerRows = new Map()
  }

  /** What is in the table belongs to another filter, another reader or another time. */
  clear(): void {
    batch(() => {
      this.#rows.clear()
      this.#newerRows = undefined
      this.order.value = []
      this.waiting.value = []
      this.cursor.value = undefined
    })
  }

  page(answer: SessionRows, isFirstPage: boolean): void {
    batch(() => {
      const newerRows = this.#newerRows
      this.#newerRows = undefined
      if (isFirstPage) this.clear()
      const rows = arrivals(answer, newerRows, this.#filter, (id) => this.#rows.has(id))
      for (const row of rows) this.#rows.set(row.session_id, signal({ row, changedAt: 0 }))
      this.order.value = [...this.order.value, ...rows.map(({ session_id }) => session_id)]
      this.cursor.value = answer.next_cursor
      this.recounted(answer, newerRows)
    })
  }

  recounted(answer: SessionRows, newerRows?: NewerRows): void {
    this.#tally.value = tallyOf(answer, newerRows)
    this.agents.value = answer.agents
    this.apps.value = answer.apps
    this.nodes.value = answer.nodes
  }

  /** `isAtTop`: new rows may be added on top without moving what is being read. */
  steps(steps: ReadonlyArray<SlimStep>, isAtTop: boolean, nowMillis: number): void {
    batch(() => {
      const gone = new Set<string>()
      const fresh: Array<string> = []
      for (const step of steps) {
        const { row } = step
        this.#newerRows?.set(row.session_id, row)
        this.#count(step)
        const liveRow = this.#rows.get(row.session_id)
        const isShown = belongs(row, this.#filter, liveRow !== undefined)
        if (liveRow !== undefined && isShown) {
          liveRow.value = { row, changedAt: nowMillis }
          gone.delete(row.session_id)
        } else if (liveRow !== undefined) gone.add(row.session_id)
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
      this.#newerRows?.set(id, null)
      const row = this.#rows.get(id)?.peek().row
      this.#tally.value = afterRemoval(this.#tally.peek(), row)
      if (row !== undefined) this.#drop(new Set([id]))
    })
  }

  letIn(): void {
    batch(() => {
      this.order.value = [...this.waiting.value, ...this.order.value]
      this.waiting.value = []
    })
  }

  #count(step: SlimStep): void {
    const tally = afterStep(this.#tally.peek(), step, this.#filter)
    // The name of its agent must be among those to filter by.
    const isNamed = !isFirst(step) || this.agents.peek().includes(step.row.agent)
    this.#tally.value = isNamed ? tally : { ...tally, isUnsure: true }
  }

  #drop(ids: ReadonlySet<string>): void {
    if (ids.size === 0) return
    for (const id of ids) this.#rows.delete(id)
    this.order.value = this.order.value.filter((id) => !ids.has(id))
    if (this.waiting.value.some((id) => ids.has(id)))
      this.waiting.value = this.waiting.value.filter((id) => !ids.has(id))
  }
}
