/**
 * Reads a line that is like the one before but for one text, without parsing it anew: an agent's answer comes as thousands of
 * lines that differ in a word.
 *
 * What is left of the line in front of the text and behind it was parsed once. The text is a string of JSON by itself, or the
 * line is none of these. So the message is what the line says, as the parser would read it.
 */
import { beginsWith } from "../domain/beginsWith.ts"
import { at, listIn, objectIn } from "../domain/json.ts"
import type { JsonObject } from "../domain/json.ts"

interface Place {
  readonly member: string
  readonly textIn: (message: JsonObject) => unknown
  /** Written out for each place, as it runs for each line. */
  readonly replacing: (message: JsonObject) => (text: string) => JsonObject
}

/** Where protocols have the text of a chunk: ACP, and codex; and ACP that of a tool's output. */
const places: ReadonlyArray<Place> = [
  {
    member: "text",
    textIn: (message) => at(message, "params", "update", "content", "text"),
    replacing: (message) => {
      const params = objectIn(message["params"])
      const update = objectIn(params["update"])
      const content = objectIn(update["content"])
      return (text) => ({ ...message, params: { ...params, update: { ...update, content: { ...content, text } } } })
    }
  },
  {
    member: "delta",
    textIn: (message) => at(message, "params", "delta"),
    replacing: (message) => {
      const params = objectIn(message["params"])
      return (delta) => ({ ...message, params: { ...params, delta } })
    }
  },
  {
    member: "text",
    textIn: (message) => at(onlyIn(at(message, "params", "update", "content")), "content", "text"),
    replacing: (message) => {
      const params = objectIn(message["params"])
      const update = objectIn(params["update"])
      const part = objectIn(onlyIn(update["content"]))
      const inner = objectIn(part["content"])
      return (text) => {
        const content = [{ ...part, content: { ...inner, text } }]
        return { ...message, params: { ...params, update: { ...update, content } } }
      }
    }
  }
]

const onlyIn = (list: unknown): unknown => (listIn(list).length === 1 ? listIn(list)[0] : undefined)

/** A line whose other parts are longer is seldom one of many. */
const maxKnownCharacters = 2_048
/** A longer line is not kept, as a whole or by a part of it: it may have 32 MB. */
const maxKeptCharacters = 64 * 1024

/** Most texts need nothing but to be cut out. */
// oxlint-disable-next-line no-control-regex
const isPlain = /^[^"\\\u0000-\u001f]*$/

interface Known {
  readonly begin: string
  readonly end: string
  /** The message with another text. */
  readonly withText: (text: string) => JsonObject
}

export class LikeBefore {
  #known: Known | null = null
  #before = ""

  /** `null`: the line is another one, and has to be parsed. */
  read(line: string): JsonObject | null {
    if (this.#known === null) return null
    const { begin, end, withText } = this.#known
    if (line.length < begin.length + end.length || !beginsWith(line, begin) || !line.endsWith(end)) return null
    const inner = line.slice(begin.length, line.length - end.length)
    if (isPlain.test(inner)) return withText(inner)
    const text = parsedText(inner)
    return text === null ? null : withText(text)
  }

  /** Takes a line that was parsed, and is this message. It is known when one that is like it has come before. */
  learn(line: string, message: JsonObject): void {
    const isKept = line.length <= maxKeptCharacters
    const place = isKept ? places.find(({ textIn }) => typeof textIn(message) === "string") : undefined
    this.#known = place === undefined ? null : knownIn(line, this.#before, message, place)
    this.#before = place === undefined ? "" : line
  }
}

export const make = (): LikeBefore => new LikeBefore()

const parsedText = (inner: string): string | null => {
  try {
    return JSON.parse(`"${inner}"`) as string
  } catch {
    return null
  }
}

const probe = "another text"

const knownIn = (
  line: string,
  before: string,
  message: JsonObject,
  { member, replacing, textIn }: Place
): Known | null => {
  const text = JSON.stringify(textIn(message))
  // The last one, which the parser takes where a key comes twice. That it is the text is found out by another text.
  const from = line.lastIndexOf(`"${member}":${text}`)
  if (from === -1 || line.length - text.length > maxKnownCharacters) return null
  const begin = line.slice(0, from + member.length + 4)
  const end = line.slice(begin.length + text.length - 2)
  // To know a line costs more than to parse it, and of many lines no other comes that is like it.
  if (!before.startsWith(begin) || !before.endsWith(end)) return null
  const withText = replacing(message)
  try {
    const read = JSON.stringify(JSON.parse(begin + probe + end))
    return read === JSON.stringify(withText(probe)) ? { begin, end, withText } : null
  } catch {
    return null
  }
}
