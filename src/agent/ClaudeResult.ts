/** Reads what `claude -p --output-format json` prints (2.1.328): one object, or with `--verbose` an array of them. */

export interface ClaudeResult {
  /** An API error says `subtype: "success"` and `is_error: true`, and SIGINT exits 0: only this field tells. */
  readonly isError: boolean
  /** The reply, or what went wrong. */
  readonly text: string
  readonly stopReason: string
}

/** The result that this text holds, or `null` where it holds none. */
export const resultIn = (text: string): ClaudeResult | null => {
  const message = messagesIn(text).findLast(({ type }) => type === "result")
  if (message === undefined) return null
  const { errors, is_error, result, stop_reason, subtype } = message
  const isError = is_error === true || (typeof subtype === "string" && subtype.startsWith("error"))
  const said = [result, ...(Array.isArray(errors) ? errors : [])].filter((one) => typeof one === "string")
  return {
    isError,
    text: isError && said.join("") === "" ? `claude failed (${String(subtype ?? "no reason given")})` : said.join("\n"),
    stopReason: typeof stop_reason === "string" ? stop_reason : "end_turn"
  }
}

const messagesIn = (text: string): ReadonlyArray<Readonly<Record<string, unknown>>> => {
  // Most of what a program prints by mistake is no JSON; a look at its first character is cheaper than an exception.
  if (!/^\s*[[{]/.test(text)) return []
  try {
    const value: unknown = JSON.parse(text)
    return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === "object" && one !== null)
  } catch {
    return []
  }
}
