/** The position at which a page of sessions ended. Apps send it back for the next page; to them it is opaque. */
import { Option } from "effect"

export interface Cursor {
  readonly createdAt: number
  readonly id: string
}

export const cursorOf = ({ createdAt, id }: Cursor): string => Buffer.from(`${createdAt} ${id}`).toString("base64url")

/** `None` for a text that `cursorOf` can't have made. */
export const parseCursor = (text: string): Option.Option<Cursor> => {
  const match = /^(\d{1,15}) ([!-~]+)$/.exec(Buffer.from(text, "base64url").toString())
  return match?.[1] === undefined || match[2] === undefined
    ? Option.none()
    : Option.some({ createdAt: Number(match[1]), id: match[2] })
}

/** Where a page of a sorted list ended: by the last activity in the form above, by anything else with what it is sorted by. */
interface Sorted {
  readonly sort: string
  readonly descending: boolean
}

const prefixOf = ({ descending, sort }: Sorted) =>
  sort === "activity" && descending ? "" : `${sort}${descending ? "-" : "+"} `

export const positionOf = ({ id, rank }: { readonly rank: number; readonly id: string }, sorted: Sorted): string =>
  Buffer.from(`${prefixOf(sorted)}${rank} ${id}`).toString("base64url")

/** An id has neither blanks nor anything that a database can't compare with. */
const rankAndId = /^(-?[\d.]{1,40}(?:e[+-]?\d{1,3})?) ([!-~]+)$/
/** What is compared with a column of whole numbers; all else with what is computed. */
const columns = new Set(["activity", "created"])

/** `None` for a text that `positionOf` can't have made for a list that is sorted so. */
export const parsePosition = (
  text: string,
  sorted: Sorted
): Option.Option<{ readonly rank: number; readonly id: string }> => {
  const whole = Buffer.from(text, "base64url").toString()
  const prefix = prefixOf(sorted)
  const match = whole.startsWith(prefix) ? rankAndId.exec(whole.slice(prefix.length)) : null
  const rank = Number(match?.[1])
  const isOwn = Number.isFinite(rank) && (Number.isSafeInteger(rank) || !columns.has(sorted.sort))
  return match?.[2] === undefined || !isOwn ? Option.none() : Option.some({ rank, id: match[2] })
}
