/** The outcomes of turns, in the order in which they are stacked, and their colours. */
import type { Tone } from "../../client/tones.ts"

export const outcomes: ReadonlyArray<{ readonly name: string; readonly words: string; readonly tone: Tone }> = [
  { name: "completed", words: "completed", tone: "turning" },
  { name: "interrupted", words: "interrupted", tone: "closed" },
  { name: "timed_out", words: "timed out", tone: "retiring" },
  { name: "failed", words: "failed", tone: "parked" }
]

export const turnsIn = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, n) => sum + n, 0)

export const failedIn = (counts: Readonly<Record<string, number>>): number =>
  (counts["failed"] ?? 0) + (counts["timed_out"] ?? 0)
