/**
 * Text of an agent as a person should see it: characters that show nothing, or turn around what stands beside them, are
 * shown by name. A command that is to be allowed reads as it will run, and an escape sequence is seen to be one.
 */
import { unsafeCharacters } from "../../domain/unsafeCharacters.ts"

const hidden = new RegExp(`[${unsafeCharacters}]`, "g")

const names: Readonly<Record<number, string>> = { 0x00: "NUL", 0x07: "BEL", 0x08: "BS", 0x1b: "ESC", 0x7f: "DEL" }

const nameOf = (char: string): string => {
  const code = char.charCodeAt(0)
  return `⟨${names[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`}⟩`
}

export const visible = (text: string): string => text.replace(hidden, nameOf)

/** As JSON writes such a character: by a `\u`, or as it is. Most texts have none, and cost one look. */
const mayHide = new RegExp(`\\\\[ubf]|[${unsafeCharacters}]`)

/** For everything that comes from the server. */
export const parsed = <A>(json: string): A =>
  (mayHide.test(json)
    ? JSON.parse(json, (_, value: unknown) => (typeof value === "string" ? visible(value) : value))
    : JSON.parse(json)) as A
