/** What the reader has chosen for their lists, kept in their browser: columns, and filters with names. */
import { signal } from "@preact/signals"
import type { Signal } from "@preact/signals"

const kept = <A>(name: string, read: (stored: unknown) => A): Signal<A> => {
  const stored = (): unknown => {
    try {
      return JSON.parse(localStorage.getItem(name) ?? "null")
    } catch {
      return null
    }
  }
  const value = signal(read(stored()))
  value.subscribe((chosen) => {
    try {
      if (JSON.stringify(chosen) !== JSON.stringify(read(stored()))) localStorage.setItem(name, JSON.stringify(chosen))
    } catch {
      // It holds until the page is closed.
    }
  })
  return value
}

const texts = (stored: unknown): ReadonlyArray<string> | null =>
  Array.isArray(stored) ? stored.filter((one): one is string => typeof one === "string") : null

/** Ids of columns in their order; `null`: those that a list has at first. */
export const chosenColumns = kept("troupe-columns", texts)

export interface SavedFilter {
  readonly name: string
  /** As in the address, behind the `?`. */
  readonly query: string
}

const mostSaved = 30
export const longestFilterName = 60

export const savedFilters = kept("troupe-filters", (stored): ReadonlyArray<SavedFilter> =>
  Array.isArray(stored)
    ? stored
        .filter((one): one is SavedFilter => typeof one?.name === "string" && typeof one?.query === "string")
        .slice(0, mostSaved)
    : []
)

/** In the place of one that has the name already. `false`: there are too many. */
export const saveFilter = (filter: SavedFilter): boolean => {
  const others = savedFilters.peek().filter(({ name }) => name !== filter.name)
  if (others.length >= mostSaved) return false
  savedFilters.value = [...others, filter].toSorted((a, b) => a.name.localeCompare(b.name))
  return true
}

export const forgetFilter = (name: string): void => {
  savedFilters.value = savedFilters.peek().filter((one) => one.name !== name)
}
