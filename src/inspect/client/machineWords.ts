/** The machine's names as a reader is shown them. One that this version does not know, such as an older one's, is shown itself. */
import { commandWords, delayWords, eventWords, guardWords } from "../../../machines/session/words.ts"

const known = (words: Readonly<Record<string, string>>, name: string): string =>
  Object.hasOwn(words, name) ? (words[name] ?? name) : name

const after = "after "

/** An event as the chart calls it: `turn.ended`, `after backoff`, `always`. */
export const wordsOfEvent = (event: string): string => {
  if (event === "always") return "at once"
  return event.startsWith(after) ? wordsOfDelay(event.slice(after.length)) : known(eventWords, event)
}

export const wordsOfDelay = (name: string): string => known(delayWords, name)
export const wordsOfCommand = (name: string): string => known(commandWords, name)
export const wordsOfGuard = (name: string): string => known(guardWords, name)
