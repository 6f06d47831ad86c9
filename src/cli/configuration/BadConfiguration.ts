/** An error of the configuration: one line that says where, what is wrong, and what is accepted. */
import { Schema } from "effect"
import { cut } from "../../domain/cut.ts"

export class BadConfiguration extends Schema.TaggedError<BadConfiguration>()("BadConfiguration", {
  problem: Schema.String
}) {
  override get message() {
    return this.problem
  }
}

/** A value as JSON, short enough for a line. */
export const quoted = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${cut(text, 77)}...` : text
}
