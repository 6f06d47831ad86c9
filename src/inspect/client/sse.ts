/** Server-sent events out of text that comes in pieces, as the WHATWG has it; `retry` is ours to decide. */
export interface ServerEvent {
  /** The last `id` that was said, by this event or one before it. */
  readonly id: string
  readonly event: string
  readonly data: string
}

/** An event longer than this is a fault of whoever sends it, and no reason to fill the memory. */
const longestEventChars = 16 * 1024 * 1024

/** Gives each whole event to `on`. What it returns takes the next piece of text. */
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
    // A CR at the very end may be half of a CRLF: it waits for what follows.
    const end = rest.endsWith("\r") ? rest.length - 1 : rest.length
    const lines = rest.slice(0, end).split(/\r\n|\n|\r/)
    rest = (lines.pop() ?? "") + rest.slice(end)
    for (const text of lines) line(text)
    if (rest.length + length > longestEventChars) throw new Error("The server sent an event that is too long.")
  }
}
