/** All that `troupe top` knows and shows. Times are Unix seconds by the server's clock, but for the phase's. */
import type { Approval, Detail, Me, TranscriptEvent } from "../../inspect/contract.ts"
import type { Phase } from "../../inspect/client/live.ts"
import { Rows } from "./Rows.ts"

export type Order = "interrupt" | "close" | "unpark"
export type Decision = "once" | "session" | "deny"

/** What the keys are for now. */
export type Mode =
  | { readonly name: "table" }
  /** The filter as it is being written; `before` comes back on Esc. */
  | { readonly name: "filter"; readonly text: string; readonly before: string }
  /** Bound to the session that it was asked of, wherever the table has gone since. */
  | { readonly name: "confirm"; readonly order: Order; readonly id: string }
  | { readonly name: "approvals" }
  | { readonly name: "help" }

/** The session under the cursor, opened. */
export interface Opened {
  readonly id: string
  readonly detail: Detail | null
  /** The last of them, oldest first. */
  readonly events: ReadonlyArray<TranscriptEvent>
  readonly problem: string | null
}

export interface Said {
  readonly text: string
  readonly tone: "good" | "bad"
  /** Seconds. */
  readonly until: number
}

export interface Model {
  readonly url: string
  me: Me | null
  phase: Phase
  readonly rows: Rows
  isLoading: boolean
  /** Why there are no rows. */
  problem: string | null
  selected: string | null
  mode: Mode
  showsDetail: boolean
  opened: Opened | null
  approvals: ReadonlyArray<Approval>
  /** `null`: none is chosen, so that no key answers one that was not looked at. */
  approval: string | null
  said: Said | null
}

export const makeModel = (url: string): Model => ({
  url,
  me: null,
  phase: { name: "connecting" },
  rows: new Rows(),
  isLoading: true,
  problem: null,
  selected: null,
  mode: { name: "table" },
  showsDetail: true,
  opened: null,
  approvals: [],
  approval: null,
  said: null
})

/** As many as fill a tall screen, with words that come in pieces. */
export const mostEvents = 400

export const withEvent = (opened: Opened, event: TranscriptEvent): Opened =>
  event.seq <= (opened.events.at(-1)?.seq ?? 0)
    ? opened
    : { ...opened, events: [...opened.events.slice(1 - mostEvents), event] }

/** The one that takes the place of what is gone. */
export const moved = <A>(list: ReadonlyArray<A>, selected: A | null, by: number): A | null => {
  const at = selected === null ? -1 : list.indexOf(selected)
  const to = at < 0 ? (by < 0 ? list.length - 1 : 0) : Math.min(Math.max(at + by, 0), list.length - 1)
  return list[to] ?? null
}
