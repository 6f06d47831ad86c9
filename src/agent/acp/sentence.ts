/** Formats an agent's words as a part of one of our sentences. */
import { cut } from "../../domain/cut.ts"

/** On one line, and cut to `length` characters: for titles and errors. */
export const line = (value: string, length = 300): string => {
  const flat = value.replaceAll(/\s+/g, " ").trim()
  return flat.length > length ? `${cut(flat, length - 1)}…` : flat
}

/** The same, with a full stop where it needs one, so that another sentence can follow. */
export const sentence = (value: string): string => {
  const flat = line(value)
  return flat === "" || /[.!?…]$/.test(flat) ? flat : `${flat}.`
}
