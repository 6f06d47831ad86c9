import { cut } from "./cut.ts"

const longestName = 120

/** Text of an agent, as a word in a sentence. */
export const named = (title: string): string => {
  const text = title.replaceAll(/\s+/g, " ").replaceAll("`", "'")
  return `\`${text.length > longestName ? `${cut(text, longestName)}…` : text}\``
}
