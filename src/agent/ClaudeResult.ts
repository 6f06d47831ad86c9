/** Reads what `claude -p --output-format json` prints (2.1.328): one object, or with `--verbose` an array of them. */
import { shownIn } from "../domain/json.ts"
import { withoutMarks } from "./messagesIn.ts"

export interface ClaudeResult {
  /** From `is_error`: an API error has `subtype: "success"`, and a process that was ended by SIGINT exits with 0. */
  readonly isError: boolean
  /** The reply, or the reason of the failure. */
  readonly text: string
  readonly stopReason: string
}

/** The result in this text, or `null`. */
export const resultIn = (text: string): ClaudeResult | null => {
  const message = messagesIn(text).findLast(({ type }) => type === "result")
  if (message === undefined) return null
  const { errors, is_error, result, stop_reason, subtype } = message
  const isError = is_error === true || (typeof subtype === "string" && subtype.startsWith("error"))
  const texts = [result, ...(Array.isArray(errors) ? errors : [])].filter((text) => typeof text === "string")
  return {
    isError,
    text:
      isError && texts.join("") === ""
        ? `claude failed (${subtype === undefined ? "no reason given" : shownIn(subtype)})`
        : texts.join("\n"),
    stopReason: typeof stop_reason === "string" ? stop_reason : "end_turn"
  }
}

const messagesIn = (text: string): ReadonlyArray<Readonly<Record<string, unknown>>> => {
  // Most lines that a program prints by mistake are no JSON; testing the first character is cheaper than an exception.
  // oxlint-disable-next-line no-control-regex
  if (/^[\s\u0000\ufeff]*[\u0000\u001b\ufeff]/.test(text)) return messagesIn(withoutMarks(text).trimStart())
  if (!/^\s*[[{]/.test(text)) return []
  try {
    const value: unknown = JSON.parse(text)
    return (Array.isArray(value) ? value : [value]).filter((entry) => typeof entry === "object" && entry !== null)
  } catch {
    return []
  }
}
