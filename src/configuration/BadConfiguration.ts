/** An error of the configuration: one line that says where, what is wrong, and what is accepted. */
import { Schema } from "effect"
import { cut } from "../domain/cut.ts"
import { unsafeCharacters } from "../domain/unsafeCharacters.ts"

/** Names in a file may be anything, and the line is for a terminal. */
const unsafe = new RegExp(`[${unsafeCharacters}\\t\\n\\r\\u2028\\u2029]`, "g")
const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

export class BadConfiguration extends Schema.TaggedError<BadConfiguration>()("BadConfiguration", {
  problem: Schema.String
}) {
  override get message() {
    return this.problem.replaceAll(unsafe, escaped)
  }
}

/** A value as JSON, short enough for a line. */
export const quoted = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${cut(text, 77)}...` : text
}
