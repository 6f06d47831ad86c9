/**
 * What a table of sessions makes of the pages and steps that it is told, wherever it is drawn: which rows a filter lets
 * in, and how the counts go on in between without asking the server at each step.
 */
import type { SessionRow, SessionRows, SlimStep, State } from "../contract.ts"
import type { SessionFilter } from "./api.ts"
import { stateOf } from "./tones.ts"

export const noFilter: SessionFilter = { q: "", state: null, agent: null, app: null }

/** Whether a row is to be shown, as far as can be told from here: the server also searches in what a row does not have. */
export const matches = (row: SessionRow, filter: SessionFilter): boolean =>
  fits(row.state, row, filter) &&
  `${row.session_id} ${row.app} ${row.agent} ${row.substate}`.toLowerCase().includes(filter.q.toLowerCase())

const fits = (state: string, row: SessionRow, { agent, app, state: wanted }: SessionFilter): boolean =>
  (wanted === null || state === wanted) && (agent === null || row.agent === agent) && (app === null || row.app === app)

/** One that the server found in something that a row does not show stays: only its state may make it leave. */
export const belongs = (row: SessionRow, filter: SessionFilter, isShown: boolean): boolean =>
  isShown ? fits(row.state, row, filter) : matches(row, filter)

/** What was told while a page was on its way, and is younger than the page: rows by id, `null` of one that was deleted. */
export type Meanwhile = Map<string, SessionRow | null>

/** Of a page the rows that are new here, each as it is by now. */
export const arrivals = (
  { sessions }: SessionRows,
  meanwhile: Meanwhile | undefined,
  filter: SessionFilter,
  isShown: (id: string) => boolean
): ReadonlyArray<SessionRow> =>
  sessions.flatMap((told) => {
    const later = meanwhile?.get(told.session_id)
    const row = later ?? told
    return later === null || isShown(row.session_id) || !fits(row.state, row, filter) ? [] : [row]
  })

export type Counts = SessionRows["counts"]

export interface Tally {
  /** How many match, here and at the server. */
  readonly count: number
  readonly counts: Counts
  /** Perhaps not as the server would count: worth asking for, when there is time. */
  readonly isUnsure: boolean
}

export const noTally: Tally = { count: 0, counts: { idle: 0, turning: 0, retiring: 0, closed: 0 }, isUnsure: false }

/** As the server counted; news that came meanwhile may be in it or not. */
export const tallyOf = ({ count, counts }: SessionRows, meanwhile?: Meanwhile): Tally => ({
  count,
  counts,
  isUnsure: meanwhile !== undefined && meanwhile.size > 0
})

/** A session's first news has no state before it. */
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
    // A search is the server's.
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
