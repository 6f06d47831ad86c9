/** The state of `troupe top`, from which it is drawn. Times are Unix seconds by the server's clock, except the phase's. */
import type { Approval, Me } from "../../inspect/contract.ts"
import type { Detail, TranscriptEvent } from "../../inspect/sessionContract.ts"
import type { Phase } from "../../inspect/client/live.ts"
import { Rows } from "./Rows.ts"

export type Order = "interrupt" | "close" | "unpark"
export type Decision = "once" | "session" | "deny"

/** What the keys do now. */
export type Mode =
  | { readonly name: "table" }
  /** The filter as it is being typed; `before` is restored on Esc. */
  | { readonly name: "filter"; readonly text: string; readonly before: string }
  /** `id` is the session under the cursor when the order was given, whatever the table shows since. */
  | { readonly name: "confirm"; readonly order: Order; readonly id: string }
  | { readonly name: "approvals" }
  | { readonly name: "help" }

/** The session under the cursor, shown below the table. */
export interface OpenedSession {
  readonly id: string
  readonly detail: Detail | null
  /** The newest events, oldest first. */
  readonly events: ReadonlyArray<TranscriptEvent>
  readonly problem: string | null
}

export interface Notice {
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
  /** Why the rows could not be loaded. */
  problem: string | null
  selected: string | null
  mode: Mode
  showsDetail: boolean
  opened: OpenedSession | null
  approvals: ReadonlyArray<Approval>
  /** `null`: none is chosen, so that no key answers an approval that was not shown. */
  approval: string | null
  notice: Notice | null
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
  notice: null
})

/** Enough for a tall screen, where words come in pieces. */
export const mostEvents = 400

export const withEvent = (opened: OpenedSession, event: TranscriptEvent): OpenedSession =>
  event.seq <= (opened.events.at(-1)?.seq ?? 0)
    ? opened
    : { ...opened, events: [...opened.events.slice(1 - mostEvents), event] }

/** The item `by` places from the selected one; where none is selected, the first or the last. */
export const moved = <A>(list: ReadonlyArray<A>, selected: A | null, by: number): A | null => {
  const at = selected === null ? -1 : list.indexOf(selected)
  const to = at < 0 ? (by < 0 ? list.length - 1 : 0) : Math.min(Math.max(at + by, 0), list.length - 1)
  return list[to] ?? null
}
