/** What was seen in this browser, and is not to be shown again as long as it lasts. */
import { signal } from "@preact/signals"

const storedAs = "troupe-seen"
const mostKept = 500

const read = (): ReadonlyArray<string> => {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(storedAs) ?? "[]")
    return Array.isArray(kept) ? kept.filter((key) => typeof key === "string").slice(-mostKept) : []
  } catch {
    return []
  }
}

const seen = signal<ReadonlySet<string>>(new Set(read()))

export const isSeen = (key: string): boolean => seen.value.has(key)

const set = (keys: ReadonlyArray<string>) => {
  seen.value = new Set(keys)
  try {
    localStorage.setItem(storedAs, JSON.stringify(keys))
  } catch {
    // A browser that stores nothing forgets it with the page.
  }
}

export const see = (key: string): void => set([...seen.peek(), key].slice(-mostKept))
export const showSeen = (): void => set([])
