/** Reads server-sent events one by one, for tests of a stream that is still open. */
import { Effect } from "effect"

export interface ReadEvent {
  readonly id: string | undefined
  readonly event: string | undefined
  readonly data: string | undefined
  readonly comment: string | undefined
}

const parsed = (block: string): ReadEvent => {
  const field = (name: string) =>
    block
      .split("\n")
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim()
  return { id: field("id"), event: field("event"), data: field("data"), comment: field("") }
}

export const readEvents = (response: Response) => {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let pending = ""
  const next = async (): Promise<ReadEvent | undefined> => {
    while (!pending.includes("\n\n")) {
      const { done, value } = await reader.read()
      if (done) return undefined
      pending += value
    }
    const end = pending.indexOf("\n\n")
    const block = pending.slice(0, end)
    pending = pending.slice(end + 2)
    return parsed(block)
  }
  const rest = async () => {
    const all: Array<ReadEvent> = []
    for (let read = await next(); read !== undefined; read = await next()) all.push(read)
    return all
  }
  return {
    /** The next event or comment; `undefined` at the end. */
    next: Effect.promise(next),
    /** All remaining events, without comments. */
    rest: Effect.map(Effect.promise(rest), (all) => all.filter(({ comment }) => comment === undefined)),
    leave: Effect.promise(() => reader.cancel())
  }
}
