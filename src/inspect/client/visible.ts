/**
 * Makes text of an agent safe to read: characters that are invisible or reverse the direction of their neighbours are shown
 * by name. So a command that a person approves reads as it will run, and an escape sequence is visible as one.
 */
import { unsafeCharacters } from "../../domain/unsafeCharacters.ts"

const hidden = new RegExp(`[${unsafeCharacters}]`, "g")

const names: Readonly<Record<number, string>> = { 0x00: "NUL", 0x07: "BEL", 0x08: "BS", 0x1b: "ESC", 0x7f: "DEL" }

const nameOf = (char: string): string => {
  const code = char.charCodeAt(0)
  return `⟨${names[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`}⟩`
}

export const visible = (text: string): string => text.replace(hidden, nameOf)

/** JSON that may contain such a character, escaped or not. Most texts have none and cost one match. */
const mayHide = new RegExp(`\\\\[ubf]|[${unsafeCharacters}]`)

/** Parses JSON of the server, with every string made visible. */
export const parsed = <A>(json: string): A =>
  (mayHide.test(json)
    ? JSON.parse(json, (_, value: unknown) => (typeof value === "string" ? visible(value) : value))
    : JSON.parse(json)) as A
