/**
 * Shortens texts that people and JSON readers see. Never leaves half of a surrogate pair, which strict readers (Python,
 * Go, Rust, PostgreSQL) refuse together with all that is around it.
 */

/** The first characters of a text, `limit` UTF-16 units at most. */
export const cut = (text: string, limit: number): string => {
  if (text.length <= limit) return text
  const end = Math.max(0, limit)
  return text.slice(0, end > 0 && isHigh(text.charCodeAt(end - 1)) ? end - 1 : end)
}

/** The last characters of a text, `limit` UTF-16 units at most. */
export const cutStart = (text: string, limit: number): string => {
  if (text.length <= limit) return text
  const start = text.length - Math.max(0, limit)
  return text.slice(start < text.length && isLow(text.charCodeAt(start)) ? start + 1 : start)
}

const isHigh = (unit: number) => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff
