/**
 * The rows that the page has, as signals: one for each row, so that a step renders one row and not the table.
 *
 * Rows keep their place while somebody reads them, however the list is sorted. A new row is added on top where the reader is at
 * the top of the last active ones, and otherwise waits until the reader asks for it. Nothing moves under the reader's pointer:
 * what no longer belongs to the list stays until the pointer leaves.
 */
import { batch, computed, signal } from "@preact/signals"
import type { Signal } from "@preact/signals"
import type { SessionRow, SessionRows, SlimStep } from "../../contract.ts"
import type { SessionFilter } from "../../client/api.ts"
import {
  afterRemoval,
  afterStep,
  arrivals,
  belongs,
  isByActivity,
  isFirst,
  noFilter,
  noTally,
  tallyOf
} from "../../client/rows.ts"
import type { NewerRows } from "../../client/rows.ts"

export interface LiveRow {
  readonly row: SessionRow
  /** When it changed while it was shown, in milliseconds of `performance.now()`; 0 where it did not. */
  readonly changedAt: number
  /** It does not belong to the list any more. */
  readonly hasLeft: boolean
}

const fresh = (row: SessionRow, changedAt = 0): LiveRow => ({ row, changedAt, hasLeft: false })

/** What a step does not know of a row, from the one before it. */
const keeping = (row: SessionRow, before: SessionRow): SessionRow => ({ ...row, cost: row.cost ?? before.cost })

export class Table {
  readonly order = signal<ReadonlyArray<string>>([])
  /** New rows that the reader has not asked for. */
  readonly waiting = signal<ReadonlyArray<string>>([])
  readonly agents = signal<ReadonlyArray<string>>([])
  readonly apps = signal<ReadonlyArray<string>>([])
  readonly nodes = signal<ReadonlyArray<string>>([])
  /** `undefined` before the first page, `null` after the last. */
  readonly cursor = signal<string | null | undefined>(undefined)
  /** Rows have changed since the list was sorted. */
  readonly isStale = signal(false)
  /** The reader's pointer is over the rows. */
  isPointed = false

  readonly #tally = signal(noTally)
  readonly count = computed(() => this.#tally.value.count)
  readonly counts = computed(() => this.#tally.value.counts)
  readonly substates = computed(() => this.#tally.value.substates)
  readonly isBounded = computed(() => this.#tally.value.isBounded)

  readonly #rows = new Map<string, Signal<LiveRow>>()
  readonly #left = new Set<string>()
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
      this.#left.clear()
      this.waiting.value = []
      this.isStale.value = false
      this.cursor.value = undefined
    })
  }

  page(answer: SessionRows, isFirstPage: boolean): void {
    batch(() => {
      const newerRows = this.#newerRows
      this.#newerRows = undefined
      if (isFirstPage) this.clear()
      const rows = arrivals(answer, newerRows, this.#filter, (id) => this.#rows.has(id))
      for (const row of rows) this.#rows.set(row.session_id, signal(fresh(row)))
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

  /** Rows that were asked for by themselves, in the place of those that are shown. */
  renewed(rows: ReadonlyArray<SessionRow>): void {
    batch(() => {
      for (const row of rows) {
        const shown = this.#rows.get(row.session_id)
        if (shown !== undefined && shown.peek().row.last_activity_at <= row.last_activity_at)
          shown.value = { ...shown.peek(), row }
      }
    })
  }

  /**
   * `isAtTop`: new rows may be added on top without moving what is being read. Returns the sessions of which the steps do not know
   * all that is shown: a turn of theirs has ended, or they are new.
   */
  steps(steps: ReadonlyArray<SlimStep>, isAtTop: boolean, nowMillis: number): ReadonlyArray<string> {
    const unknown = new Set<string>()
    batch(() => {
      const gone = new Set<string>()
      const came: Array<string> = []
      for (const step of steps) {
        const { row } = step
        this.#newerRows?.set(row.session_id, row)
        this.#count(step)
        const liveRow = this.#rows.get(row.session_id)
        const isShown = belongs(row, this.#filter, liveRow !== undefined)
        if (liveRow !== undefined) {
          const before = liveRow.peek().row
          liveRow.value = { row: keeping(row, before), changedAt: nowMillis, hasLeft: false }
          if (row.last_outcome?.at !== before.last_outcome?.at) unknown.add(row.session_id)
          if (row.substate !== before.substate) this.isStale.value = true
          if (isShown) gone.delete(row.session_id)
          else gone.add(row.session_id)
        } else if (isShown && this.cursor.value !== undefined) {
          this.#rows.set(row.session_id, signal(fresh(row, nowMillis)))
          came.push(row.session_id)
          if (row.turns > 0) unknown.add(row.session_id)
        }
      }
      for (const id of this.#left) if (!gone.has(id) && this.#belongs(id)) this.#left.delete(id)
      if (this.isPointed) this.#leave(gone)
      else this.#drop(gone)
      const added = came.filter((id) => !gone.has(id)).toReversed()
      if (added.length === 0) return
      if (isAtTop && !this.isPointed && isByActivity(this.#filter)) this.order.value = [...added, ...this.order.value]
      else this.waiting.value = [...added, ...this.waiting.value]
    })
    return [...unknown]
  }

  /** The pointer has left the rows. */
  unpointed(): void {
    this.isPointed = false
    batch(() => this.#drop(new Set(this.#left)))
  }

  #belongs(id: string): boolean {
    const row = this.#rows.get(id)?.peek().row
    return row !== undefined && belongs(row, this.#filter, true)
  }

  #leave(ids: ReadonlySet<string>): void {
    for (const id of ids) {
      const row = this.#rows.get(id)
      if (row === undefined) continue
      this.#left.add(id)
      row.value = { ...row.peek(), hasLeft: true }
    }
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
    for (const id of ids) {
      this.#rows.delete(id)
      this.#left.delete(id)
    }
    this.order.value = this.order.value.filter((id) => !ids.has(id))
    if (this.waiting.value.some((id) => ids.has(id)))
      this.waiting.value = this.waiting.value.filter((id) => !ids.has(id))
  }
}
