/**
 * How a table of sessions, in the page and in the terminal, uses the pages and steps that it receives: which rows match a
 * filter, and how the counts are kept up to date in between without asking the server at each step.
 */
import type { SessionRow, SessionRows, SlimStep, Sort, State } from "../contract.ts"
import type { SessionFilter } from "./api.ts"
import { stateOf } from "./tones.ts"

/** What a list can be filtered and sorted by, at the server, in the page and in the terminal. */
export const states = ["idle", "turning", "retiring", "closed"] as const satisfies ReadonlyArray<State>
export const outcomes = ["completed", "interrupted", "failed", "timed_out"] as const satisfies ReadonlyArray<
  SessionFilter["outcome"]
>
export const sorts = ["activity", "created", "state", "outcome", "cost", "turns"] as const satisfies ReadonlyArray<Sort>

/** So many rows can be asked for by their ids at once. */
export const mostIds = 200

export const noFilter: SessionFilter = {
  q: "",
  state: null,
  substate: null,
  outcome: null,
  meta: null,
  agent: null,
  app: null,
  node: null,
  sort: "activity",
  order: "desc"
}

/** Whether it leaves any session out. */
export const isFiltered = (filter: SessionFilter): boolean =>
  filter.q !== "" || narrowing.some((name) => filter[name] !== null)

const narrowing = ["state", "substate", "outcome", "meta", "agent", "app", "node"] as const

/** The last active first: where a change puts a session on top. */
export const isByActivity = ({ order, sort }: SessionFilter): boolean => sort === "activity" && order === "desc"

/** Whether a row matches, as far as its own fields decide it: the server also searches in what a row does not contain. */
export const matches = (row: SessionRow, filter: SessionFilter): boolean =>
  fits(row.substate, row, filter) &&
  hasMember(row, filter.meta) &&
  `${row.session_id} ${row.name} ${row.app} ${row.agent} ${row.substate}`.toLowerCase().includes(filter.q.toLowerCase())

const fits = (substate: string, row: SessionRow, filter: SessionFilter): boolean =>
  (filter.state === null || stateOf(substate) === filter.state) &&
  (filter.substate === null || substate === filter.substate) &&
  (filter.outcome === null || row.last_outcome?.status === filter.outcome) &&
  (filter.agent === null || row.agent === filter.agent) &&
  (filter.app === null || row.app === filter.app) &&
  (filter.node === null || row.node === filter.node)

const hasMember = ({ meta }: SessionRow, wanted: string | null): boolean => {
  if (wanted === null) return true
  const at = wanted.indexOf("=")
  return meta[wanted.slice(0, at)] === wanted.slice(at + 1)
}

/** A shown row that the server found by something it does not contain stays; only its state may remove it. */
export const belongs = (row: SessionRow, filter: SessionFilter, isShown: boolean): boolean =>
  isShown ? fits(row.substate, row, filter) : matches(row, filter)

/** Rows by id that came while a page was being fetched and are newer than the page; `null`: the session was deleted. */
export type NewerRows = Map<string, SessionRow | null>

/** The rows of a page that are not shown yet, each in its newest version. */
export const arrivals = (
  { sessions }: SessionRows,
  newerRows: NewerRows | undefined,
  filter: SessionFilter,
  isShown: (id: string) => boolean
): ReadonlyArray<SessionRow> =>
  sessions.flatMap((rowOfPage) => {
    const newer = newerRows?.get(rowOfPage.session_id)
    const row = newer ?? rowOfPage
    return newer === null || isShown(row.session_id) || !fits(row.substate, row, filter) ? [] : [row]
  })

export type Counts = SessionRows["counts"]

export interface Tally {
  /** How many match, here and at the server. */
  readonly count: number
  readonly counts: Counts
  readonly substates: SessionRows["substates"]
  /** Not all sessions were looked at. */
  readonly isBounded: boolean
  /** The server may count otherwise: ask it when there is time. */
  readonly isUnsure: boolean
}

export const noTally: Tally = {
  count: 0,
  counts: { idle: 0, turning: 0, retiring: 0, closed: 0 },
  substates: {},
  isBounded: false,
  isUnsure: false
}

/** As the server counted. Changes that came during the request may be counted or not. */
export const tallyOf = (
  { count, counts, is_bounded: isBounded, substates }: SessionRows,
  newerRows?: NewerRows
): Tally => ({
  count,
  counts,
  substates,
  isBounded,
  isUnsure: newerRows !== undefined && newerRows.size > 0
})

/** A session's first change has no state before it. */
export const isFirst = ({ event, seq }: SlimStep): boolean => seq === 0 || event === "created"

export const afterStep = (tally: Tally, step: SlimStep, filter: SessionFilter): Tally => {
  const { row } = step
  const before = isFirst(step) ? undefined : step.from
  const was = before !== undefined && fits(before, row, filter)
  const is = fits(row.substate, row, filter)
  if (before === row.substate) return tally
  return {
    ...tally,
    count: Math.max(0, tally.count + Number(is) - Number(was)),
    counts: shifted(tally.counts, before === undefined ? undefined : (stateOf(before) as State), row.state),
    substates: shifted(tally.substates, before, row.state === "closed" ? undefined : row.substate),
    // Only the server can search, and knows what the outcome was before.
    isUnsure:
      tally.isUnsure || (was !== is && (filter.q !== "" || filter.meta !== null)) || (is && filter.outcome !== null)
  }
}

/** `row`: the deleted session's, where it was shown. */
export const afterRemoval = (tally: Tally, row: SessionRow | undefined): Tally =>
  row === undefined
    ? { ...tally, isUnsure: true }
    : {
        ...tally,
        count: Math.max(0, tally.count - 1),
        counts: shifted(tally.counts, row.state, undefined),
        substates: shifted(tally.substates, row.substate, undefined)
      }

const shifted = <K extends string>(
  counts: Readonly<Record<K, number>>,
  from: K | undefined,
  to: K | undefined
): Readonly<Record<K, number>> => {
  if (from === to) return counts
  const next: Record<K, number> = { ...counts }
  if (from !== undefined) next[from] = Math.max(0, (next[from] ?? 0) - 1)
  if (to !== undefined) next[to] = (next[to] ?? 0) + 1
  return next
}
