/**
 * An agent's text as Markdown, read into tokens. What they become is decided in `panels/Markdown.tsx`: never HTML of anybody.
 *
 * Whoever writes such a text may want the page to stand still, so what costs more than its length is shown as it is.
 */
import { Lexer } from "marked"
import type { Token } from "marked"

const longestText = 20_000
/** Emphasis costs the square of their number: these take 0.2 s at most. */
const mostDelimiters = 1_500
const deepest = 20

/** Quotes in quotes and lists in lists, in one line. */
const isDeep = new RegExp(String.raw`^(?:[ \t]*(?:>|[-*+][ \t]|\d{1,9}[.)][ \t])){${deepest}}`, "m")

/** `null`: it is shown as the text that it is. */
export const markdownOf = (text: string): ReadonlyArray<Token> | null => {
  if (text.length > longestText || isDeep.test(text)) return null
  if ((text.match(/[*_~]/g)?.length ?? 0) > mostDelimiters) return null
  try {
    return new Lexer({ gfm: true }).lex(text)
  } catch {
    return null
  }
}

/** The address of a link that may be followed, as a browser understands it; `null`: it is shown as text. */
export const linkOf = (href: string): { readonly href: string; readonly to: string } | null => {
  let url: URL
  try {
    url = new URL(href)
  } catch {
    // No page of this server is meant by an agent's text.
    return null
  }
  if (url.protocol === "mailto:") return { href: url.href, to: url.pathname }
  if (url.protocol !== "http:" && url.protocol !== "https:") return null
  // A name in front of the host makes it look like another one.
  if (url.username !== "" || url.password !== "") return null
  return { href: url.href, to: url.host }
}
