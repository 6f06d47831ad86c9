/** How many files this process may have open at once, and what to do where they are too few. */
import { readFileSync } from "node:fs"

/** An idle server has some thirty open, and each process of a session takes three. */
export const least = 64

/** The soft limit; infinite where it is none, or can't be read: without `/proc`. */
export const limit = (limits = "/proc/self/limits"): number => {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync(limits, "latin1"))?.[1] ?? Infinity)
  } catch {
    return Infinity
  }
}

const remedy = "Raise the limit (`ulimit -n`, systemd's LimitNOFILE)."

/** `null`: there are enough. */
export const tooFew = (open: number): string | null =>
  open >= least ? null : `This process may have ${open} files open, and needs ${least} at least. ${remedy}`

/** What a failure says that came of too many open files, whatever its own text tells to check; `null`: it did not. */
export const exhausted = (text: string): string | null => {
  const said = /\bE(?:M|N)FILE: [^'().]*(?:'[^']*')?/.exec(text)?.[0].trim()
  return said === undefined ? null : `Troupe has as many files open as it may (${said}). ${remedy}`
}
