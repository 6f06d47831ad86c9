/** Parses server-sent events from text that comes in pieces, as the WHATWG specifies; `retry` fields are ignored. */
export interface ServerEvent {
  /** The last `id` so far, of this event or of one before it. */
  readonly id: string
  readonly event: string
  readonly data: string
}

/** An event longer than this is a fault of the server, and must not fill the memory. */
const longestEventChars = 16 * 1024 * 1024

/** Returns the function that takes the next piece of text; each complete event is passed to `on`. */
export const sseParser = (on: (event: ServerEvent) => void) => {
  let rest = ""
  let id = ""
  let event = ""
  let data: Array<string> = []
  let length = 0

  const line = (text: string): void => {
    if (text === "") {
      if (data.length > 0) on({ id, event: event || "message", data: data.join("\n") })
      event = ""
      data = []
      length = 0
      return
    }
    const colon = text.indexOf(":")
    if (colon === 0) return
    const name = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? "" : text.slice(text[colon + 1] === " " ? colon + 2 : colon + 1)
    if (name === "data") {
      length += value.length
      data.push(value)
    } else if (name === "event") event = value
    else if (name === "id") id = value
  }

  return (piece: string): void => {
    rest += piece
    // A CR at the very end may be half of a CRLF, so it is kept for the next piece.
    const end = rest.endsWith("\r") ? rest.length - 1 : rest.length
    const lines = rest.slice(0, end).split(/\r\n|\n|\r/)
    rest = (lines.pop() ?? "") + rest.slice(end)
    for (const text of lines) line(text)
    if (rest.length + length > longestEventChars) throw new Error("The server sent an event that is too long.")
  }
}
