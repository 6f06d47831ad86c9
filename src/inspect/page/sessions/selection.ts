/** The sessions that were chosen for something to be done to all of them, each with its row as it was last seen. */
import { computed, effect, signal } from "@preact/signals"
import { problemFrom } from "../../client/api.ts"
import type { Problem, SessionFilter } from "../../client/api.ts"
import type { SessionRow } from "../../contract.ts"
import { api, me } from "../store.ts"
import { table } from "./feed.ts"

/** Nobody looks through more before they press, and more take too long to wait for. */
export const mostChosen = 1_000
const perPage = 500

const chosen = signal<ReadonlyMap<string, SessionRow>>(new Map())
/** Where a range begins. */
let anchor: string | null = null

export const chosenIds = computed<ReadonlySet<string>>(() => new Set(chosen.value.keys()))
export const chosenCount = computed(() => chosen.value.size)

/** As they are now, as far as the list has them. */
export const chosenRows = (): ReadonlyArray<SessionRow> =>
  [...chosen.peek().values()].map((row) => table.row(row.session_id)?.peek().row ?? row)

const rowOf = (id: string): SessionRow | undefined => table.row(id)?.peek().row

const add = (ids: ReadonlyArray<string>) => {
  const next = new Map(chosen.peek())
  for (const id of ids) {
    const row = rowOf(id)
    if (row !== undefined && next.size < mostChosen) next.set(id, row)
  }
  chosen.value = next
}

export const toggle = (id: string): void => {
  anchor = id
  if (!chosen.peek().has(id)) return add([id])
  const next = new Map(chosen.peek())
  next.delete(id)
  chosen.value = next
}

/** From the one that was chosen last to this one, in the order of the list. */
export const chooseRange = (id: string): void => {
  const order = table.order.peek()
  const [from, to] = [anchor === null ? -1 : order.indexOf(anchor), order.indexOf(id)]
  if (from < 0 || to < 0) return toggle(id)
  add(order.slice(Math.min(from, to), Math.max(from, to) + 1))
}

export const chooseLoaded = (): void => add(table.order.peek())

export const chooseNone = (): void => {
  anchor = null
  chosen.value = new Map()
}

/** The first `mostChosen` that match the filter, by pages of the server. A problem where not all could be read. */
export const chooseMatching = async (filter: SessionFilter): Promise<Problem | null> => {
  const found = new Map<string, SessionRow>()
  let cursor: string | null | undefined
  try {
    while (found.size < mostChosen && cursor !== null) {
      const page = await api.sessions(filter, Math.min(perPage, mostChosen - found.size), cursor)
      for (const row of page.sessions) found.set(row.session_id, row)
      cursor = page.next_cursor
    }
  } catch (cause) {
    return problemFrom(cause)
  }
  chosen.value = found
  return null
}

effect(() => {
  if (me.value === null) chooseNone()
})
