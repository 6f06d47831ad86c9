/** The ledger's statements as PostgreSQL takes them. */
import type { SqlValue, Write } from "../sql/Database.ts"

export interface Sent {
  readonly text: string
  readonly params: ReadonlyArray<string | null>
}

const translated = new Map<string, string>()
/** Far more than there are; a text that varies without end must not fill the memory. */
const mostTranslated = 5_000

/** `?` and `?1` as `$1`. No text of the ledger has a question mark for anything else. */
const numbered = (text: string): string => {
  const known = translated.get(text)
  if (known !== undefined) return known
  let last = 0
  const result = text.replace(/\?(\d*)/g, (_, digits: string) => `$${digits === "" ? ++last : digits}`)
  if (translated.size < mostTranslated) translated.set(text, result)
  return result
}

/** Values are sent as text, so that the server takes each as the type of its column. It refuses texts with NUL. */
const valueOf = (value: SqlValue): string | null =>
  value === null ? null : typeof value === "number" ? String(value) : value.replaceAll("\0", "\u{fffd}")

export const queryOf = (text: string, params: ReadonlyArray<SqlValue>): Sent => ({
  text: numbered(text),
  params: params.map(valueOf)
})

/** A statement that has to change a row, or to find one, ends its transaction by itself where it does not: nobody waits for its answer. */
export const writeOf = ({ failIfNoRow, isFence, params, text }: Write): Sent => {
  const query = queryOf(text, params)
  return failIfNoRow === undefined
    ? query
    : {
        text: `WITH changed AS (${query.text}) SELECT ${isFence === true ? "must_own" : "must"}((SELECT count(*) FROM changed), $${params.length + 1}::text)`,
        params: [...query.params, failIfNoRow]
      }
}
