/** The machine's names as a reader is shown them. One that this version does not know, such as an older one's, is shown itself. */
import { eventName } from "../chart/eventName.ts"
import { commandWords, delayWords, eventWords, guardWords } from "../../../machines/session/words.ts"

const known = (words: Readonly<Record<string, string>>, name: string): string =>
  Object.hasOwn(words, name) ? (words[name] ?? name) : name

/** Timers that are not the machine's. */
const otherTimers: Readonly<Record<string, string>> = {
  approvalTimeout: "nobody answers in time",
  postToolQuiet: "the agent is silent too long",
  abortGrace: "it did not stop by itself"
}

const after = "after "

/** An event as the chart calls it: `turn.ended`, `after backoff`, `always`. */
export const wordsOfEvent = (event: string): string => {
  if (event === "always") return "at once"
  return event.startsWith(after) ? wordsOfDelay(event.slice(after.length)) : known(eventWords, event)
}

/** As it is stored: `xstate.after.backoff.session.idle.backingOff` too. */
export const wordsOfStored = (event: string): string => wordsOfEvent(eventName(event))

export const wordsOfDelay = (name: string): string => known({ ...delayWords, ...otherTimers }, name)
export const wordsOfCommand = (name: string): string => known(commandWords, name)
export const wordsOfGuard = (name: string): string => known(guardWords, name)
