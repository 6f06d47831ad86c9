/**
 * How a table of sessions, in the page and in the terminal, uses the pages and steps that it receives: which rows match a
 * filter, and how the counts are kept up to date in between without asking the server at each step.
 */
import type { SessionRow, SessionRows, SlimStep, State } from "../contract.ts"
import type { SessionFilter } from "./api.ts"
import { stateOf } from "./tones.ts"

export const noFilter: SessionFilter = { q: "", state: null, agent: null, app: null, node: null }

/** Whether a row matches, as far as its own fields decide it: the server also searches in what a row does not contain. */
export const matches = (row: SessionRow, filter: SessionFilter): boolean =>
  fits(row.state, row, filter) &&
  `${row.session_id} ${row.app} ${row.agent} ${row.substate}`.toLowerCase().includes(filter.q.toLowerCase())

const fits = (state: string, row: SessionRow, { agent, app, node, state: wanted }: SessionFilter): boolean =>
  (wanted === null || state === wanted) &&
  (agent === null || row.agent === agent) &&
  (app === null || row.app === app) &&
  (node === null || row.node === node)

/** A shown row that the server found by something it does not contain stays; only its state may remove it. */
export const belongs = (row: SessionRow, filter: SessionFilter, isShown: boolean): boolean =>
  isShown ? fits(row.state, row, filter) : matches(row, filter)

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
    return newer === null || isShown(row.session_id) || !fits(row.state, row, filter) ? [] : [row]
  })

export type Counts = SessionRows["counts"]

export interface Tally {
  /** How many match, here and at the server. */
  readonly count: number
  readonly counts: Counts
  /** The server may count otherwise: ask it when there is time. */
  readonly isUnsure: boolean
}

export const noTally: Tally = { count: 0, counts: { idle: 0, turning: 0, retiring: 0, closed: 0 }, isUnsure: false }

/** As the server counted. Changes that came during the request may be counted or not. */
export const tallyOf = ({ count, counts }: SessionRows, newerRows?: NewerRows): Tally => ({
  count,
  counts,
  isUnsure: newerRows !== undefined && newerRows.size > 0
})

/** A session's first change has no state before it. */
export const isFirst = ({ event, seq }: SlimStep): boolean => seq === 0 || event === "created"

export const afterStep = (tally: Tally, step: SlimStep, filter: SessionFilter): Tally => {
  const { row } = step
  const before = isFirst(step) ? undefined : (stateOf(step.from) as State)
  const was = before !== undefined && fits(before, row, filter)
  const is = fits(row.state, row, filter)
  if (before === row.state) return tally
  return {
    count: Math.max(0, tally.count + Number(is) - Number(was)),
    counts: shifted(tally.counts, before, row.state),
    // Only the server can search.
    isUnsure: tally.isUnsure || (was !== is && filter.q !== "")
  }
}

/** `row`: the deleted session's, where it was shown. */
export const afterRemoval = (tally: Tally, row: SessionRow | undefined): Tally =>
  row === undefined
    ? { ...tally, isUnsure: true }
    : { ...tally, count: Math.max(0, tally.count - 1), counts: shifted(tally.counts, row.state, undefined) }

const shifted = (counts: Counts, from: State | undefined, to: State | undefined): Counts => {
  if (from === to) return counts
  const next = { ...counts }
  if (from !== undefined) next[from] = Math.max(0, next[from] - 1)
  if (to !== undefined) next[to] += 1
  return next
}
