/** Server-sent events, as a client without a library reads them. */

export interface ServerEvent {
  readonly id: string | null
  readonly event: string
  readonly data: unknown
}

export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  let rest = ""
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const blocks = `${rest}${text}`.split("\n\n")
    rest = blocks.pop() ?? ""
    for (const block of blocks) {
      const fields = new Map<string, string>()
      for (const line of block.split("\n")) {
        const colon = line.indexOf(":")
        // A line that begins with a colon is a comment.
        if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trimStart())
      }
      const data = fields.get("data")
      if (data === undefined) continue
      yield { id: fields.get("id") ?? null, event: fields.get("event") ?? "message", data: JSON.parse(data) }
    }
  }
}
