/**
 * What the whole page remembers: the token, as long as its tab is open, and the session that was created last. Not for longer:
 * the dashboard has the same origin and keeps no token where a script could read it (decision 0009).
 */
import { signal } from "@preact/signals"

const key = "troupe-docs-token"

export const token = signal(sessionStorage.getItem(key) ?? "")

export const keepToken = (text: string): void => {
  token.value = text.trim()
  if (token.value === "") sessionStorage.removeItem(key)
  else sessionStorage.setItem(key, token.value)
}

/** The values that paths begin with: the session of the last answer that had one. */
export const lastSession = signal("")
