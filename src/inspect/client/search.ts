/**
 * A search for a text in one session: in its transcript, as it is shown, and in its steps. The same function searches what the
 * page has, and at the server what it has not.
 */
import type { Hit, Step } from "../sessionContract.ts"
import { cut, cutStart } from "../../domain/cut.ts"
import { pretty } from "./content.ts"
import type { Item, Prompt } from "./Transcript.ts"

export const longestQuery = 200

/** Characters of a snippet before and after what was found. */
const around = { before: 60, after: 140 }

export type Matcher = (text: string) => { readonly snippet: Hit["snippet"]; readonly matches: number } | null

/** Whatever the case of its letters. `null`: there is nothing to look for. */
export const matcherOf = (query: string): Matcher | null => {
  const wanted = query.trim()
  if (wanted === "") return null
  const pattern = new RegExp(wanted.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`), "giu")
  return (text) => {
    pattern.lastIndex = 0
    const first = pattern.exec(text)
    if (first === null) return null
    let matches = 1
    while (pattern.exec(text) !== null) matches += 1
    const end = first.index + first[0].length
    const [before, after] = [text.slice(0, first.index), text.slice(end)]
    return {
      matches,
      snippet: [
        inLine(before.length > around.before ? `…${cutStart(before, around.before)}` : before),
        inLine(first[0]),
        inLine(after.length > around.after ? `${cut(after, around.after)}…` : after)
      ]
    }
  }
}

const inLine = (text: string): string => text.replaceAll(/\s+/g, " ")

/** In the order of the transcript, at most one of each item. Prompts have no event that has their text alone. */
export const searchItems = (items: ReadonlyArray<Item>, matches: Matcher): ReadonlyArray<Hit> =>
  items.flatMap((item): ReadonlyArray<Hit> => {
    for (const [what, text] of textsOf(item)) {
      const found = matches(text)
      const seq = Number.parseInt(item.key, 10)
      if (found !== null)
        return [{ of: "events", seq: Number.isNaN(seq) ? 0 : seq, turn: item.turn, at: item.at, what, ...found }]
    }
    return []
  })

/** Those that were among the events. */
export const searchPrompts = (prompts: ReadonlyArray<Prompt>, matches: Matcher): ReadonlyArray<Hit> =>
  prompts.flatMap(({ index, prompt, submitted_at: at }): ReadonlyArray<Hit> => {
    const found = matches(prompt)
    return found === null ? [] : [{ of: "events", seq: 0, turn: index, at, what: "prompt", ...found }]
  })

const textsOf = (item: Item): ReadonlyArray<readonly [what: string, text: string]> => {
  switch (item.kind) {
    case "prompt":
    case "message":
    case "thought":
      return [[item.kind, item.text]]
    case "tool":
      return [
        ["tool", item.title],
        ["input of a tool", item.input],
        ["output of a tool", item.output]
      ]
    case "plan":
      return [["plan", item.entries.map(({ text }) => text).join("\n")]]
    case "end":
      return [["end of the turn", item.text]]
    case "usage":
      return [["event", item.text]]
    case "other":
      return [
        ["event", item.what],
        ["event", item.text]
      ]
    case "state":
      // The steps have them.
      return []
  }
}

/** By event, states and commands, and by what the event says: the message of a failure, and the stderr behind it. */
export const searchSteps = (steps: ReadonlyArray<Step>, matches: Matcher): ReadonlyArray<Hit> =>
  steps.flatMap((step): ReadonlyArray<Hit> => {
    const { at, commands, event, from, seq, to } = step
    const { failure, type, ...rest } = event
    const { stderr = "", ...said } = (failure ?? {}) as { readonly stderr?: unknown }
    const texts: ReadonlyArray<readonly [what: string, text: string]> = [
      ["step", `${type}: ${from} → ${to} ${commands.join(" ")}`],
      ["stderr", pretty(stderr)],
      ["step", `${pretty({ ...rest, failure: said })}`]
    ]
    for (const [what, text] of texts) {
      const found = matches(text)
      if (found !== null) return [{ of: "steps", seq, turn: null, at, what, ...found }]
    }
    return []
  })
