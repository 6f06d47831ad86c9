/**
 * The server's time, as a signal that ticks each second: a text that reads it changes by itself, and nothing around it
 * is drawn again. The clock of an exported session is set to the moment of its export.
 */
import { signal } from "@preact/signals"

let skewSeconds = 0
let isFrozen = false

const read = () => Date.now() / 1000 + skewSeconds

/** Unix seconds, by the server's clock. */
export const now = signal(read())

/** A moment of the page's own clock, in milliseconds, by the server's. */
export const serverTime = (millis: number): number => millis / 1000 + skewSeconds

/** What the server's clock said just now. */
export const setServerTime = (seconds: number): void => {
  skewSeconds = seconds - Date.now() / 1000
  if (!isFrozen) now.value = read()
}

export const freezeAt = (seconds: number): void => {
  isFrozen = true
  now.value = seconds
}

setInterval(() => {
  if (!isFrozen) now.value = read()
}, 1_000)
