/** Announcements between Troupes of one process, as a database with LISTEN and NOTIFY has them. */
import { Effect } from "effect"
import type { Announcements, Heard } from "../../src/ledger/Announcements.ts"

export interface Channel {
  /** The announcements of one more Troupe. */
  readonly join: (name: string) => Announcements
  /** All that was announced, by whom. */
  readonly sent: ReadonlyArray<readonly [from: string, note: string]>
}

export const make = (): Channel => {
  const listeners = new Map<string, (heard: Heard) => void>()
  const sent: Array<readonly [string, string]> = []
  return {
    sent,
    join: (from) => ({
      announce: (notes) =>
        Effect.sync(() => {
          for (const note of notes) sent.push([from, note])
          for (const [to, hear] of listeners) if (to !== from) hear({ _tag: "Notes", from, notes })
        }),
      hasListeners: () => [...listeners.keys()].some((name) => name !== from),
      isHearing: () => listeners.has(from),
      listen: (hear) =>
        Effect.asVoid(
          Effect.acquireRelease(
            Effect.sync(() => {
              listeners.set(from, hear)
              for (const [other, hearOther] of listeners) if (other !== from) hearOther({ _tag: "Missed" })
            }),
            () => Effect.sync(() => listeners.delete(from))
          )
        )
    })
  }
}
