/**
 * What a session is called by people: the title that its app gave it, else how its first prompt begins, else its id. Every
 * list, page and notification has it from here.
 */
import type { SessionId } from "./Ids.ts"
import type { Meta } from "./Session.ts"
import { cut } from "./cut.ts"
import { unsafeCharacters } from "./unsafeCharacters.ts"

/** Names are for lists: a longer one says no more there. */
const longestName = 160

const unsafe = new RegExp(`[${unsafeCharacters}]`, "g")

/** In one line, and without what turns around its neighbours. `null`: nothing is left. */
const oneLine = (text: string): string | null => {
  // The rest of a prompt of a megabyte is not looked at.
  const line = cut(text.trimStart(), 4 * longestName)
    .replaceAll(unsafe, "")
    .replaceAll(/\s+/g, " ")
    .trim()
  if (line === "") return null
  return line.length > longestName ? `${cut(line, longestName - 1).trimEnd()}…` : line
}

/** How a prompt begins, as it is stored with its session; `null`: it has no text. */
export const openingOf = (prompt: string): string | null => oneLine(prompt)

/** `null`: its app gave it none. */
export const titleIn = ({ title }: Meta): string | null => (typeof title === "string" ? oneLine(title) : null)

export interface Named {
  readonly id: SessionId
  readonly title: string | null
  readonly opening: string | null
}

export const nameOf = ({ id, opening, title }: Named): string => title ?? opening ?? id

/** Of an app's data what fits into columns of a list. */
const longestMetaKey = 40
const longestMetaValue = 80
const mostMetaMembers = 12

/** Its first members whose values are words, numbers, yes or no; each as text, and cut. */
export const shortMeta = (meta: Meta): Readonly<Record<string, string>> => {
  const short: Array<readonly [string, string]> = []
  for (const [key, value] of Object.entries(meta)) {
    const text = typeof value === "string" ? oneLine(value) : metaText(value)
    if (key.length > longestMetaKey || text === null) continue
    short.push([key, cut(text, longestMetaValue)])
    if (short.length === mostMetaMembers) break
  }
  return Object.fromEntries(short)
}

const metaText = (value: unknown): string | null =>
  typeof value === "number" || typeof value === "boolean" ? String(value) : null
