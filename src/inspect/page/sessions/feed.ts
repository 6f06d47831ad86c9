/**
 * Fills the table: the first page of a filter, further pages as the reader scrolls, and the server's changes in between.
 * It continues while a session is open, so that a reader who comes back finds the table up to date and at the same row.
 */
import { effect, signal } from "@preact/signals"
import { listen } from "../app/serverStatus.ts"
import { problemFrom } from "../../client/api.ts"
import type { Problem, SessionFilter } from "../../client/api.ts"
import { isByActivity, mostIds, noFilter } from "../../client/rows.ts"
import { gathered } from "../app/gathered.ts"
import type { SlimStep } from "../../contract.ts"
import { api, me } from "../store.ts"
import { Table } from "./table.ts"

const pageSize = 100
/** A count makes the server look through all sessions, so it is not asked for at each step. */
const recountMillis = 10_000
/** A busy server sends thousands of steps a second; a screen shows sixty frames. */
const longestBacklog = 20_000

export const table = new Table()
export const problem = signal<Problem | undefined>(undefined)
export const isLoading = signal(false)
/** The row that the keyboard is at. */
export interface ActiveRow {
  readonly index: number
  readonly id: string | undefined
}

const first: ActiveRow = { index: 0, id: undefined }

/** Where the reader was, for when they come back. */
export const place = { scrollTop: 0, active: first, isAtTop: true, hasLeft: false }

let filter: SessionFilter = noFilter
let generation = 0
let isRequested = false
/** Rows that are fetched before the stream is live would miss the changes in between. */
let isStreamLive = false
const liveWithinMillis = 1_500

/** Does nothing where the table has this filter already. */
export const show = (wanted: SessionFilter): void => {
  if (isRequested && JSON.stringify(wanted) === JSON.stringify(filter)) return
  filter = wanted
  isRequested = true
  if (isStreamLive) return reload()
  isLoading.value = true
  const loadedGeneration = generation
  setTimeout(() => loadedGeneration === generation && reload(), liveWithinMillis)
}

/** The present rows stay until the new ones are there. */
export const reload = (): void => {
  generation += 1
  place.scrollTop = 0
  place.active = first
  table.expect(filter)
  void load(generation, undefined)
}

export const loadMore = (): void => {
  const cursor = table.cursor.peek()
  if (isLoading.peek() || cursor === null || cursor === undefined) return
  table.expect(filter)
  void load(generation, cursor)
}

const load = async (loadedGeneration: number, cursor: string | undefined): Promise<void> => {
  isLoading.value = true
  try {
    const answer = await api.sessions(filter, pageSize, cursor)
    if (loadedGeneration !== generation) return
    flush()
    table.page(answer, cursor === undefined)
    problem.value = undefined
  } catch (cause) {
    if (loadedGeneration !== generation) return
    problem.value = problemFrom(cause)
    if (problem.value.status === 401) me.value = null
  }
  isLoading.value = false
}

const recount = async (): Promise<void> => {
  if (!table.isUnsure || isLoading.peek() || document.hidden) return
  const loadedGeneration = generation
  try {
    const answer = await api.sessions(filter, 1)
    if (loadedGeneration === generation) table.recounted(answer)
  } catch {
    // The next recount may succeed.
  }
}
setInterval(() => void recount(), recountMillis)

let backlog: Array<SlimStep> = []
let frame = 0

/** Sessions whose rows are to be read again, since a step does not know all of them. */
const toRenew = new Set<string>()
const renewMillis = 1_000

const renewing = gathered(async () => {
  const ids = [...toRenew].slice(0, mostIds)
  for (const id of ids) toRenew.delete(id)
  if (ids.length === 0) return
  table.renewed((await api.rows(ids)).sessions)
  if (toRenew.size > 0) renewing.refreshSoon()
}, renewMillis)

/** New rows are let in: on top, where the last active ones are first; else where they belong. */
export const letIn = (): void => {
  if (isByActivity(filter)) table.letIn()
  else reload()
}

const flush = () => {
  cancelAnimationFrame(frame)
  frame = 0
  if (backlog.length === 0) return
  const steps = backlog
  backlog = []
  const unknown = table.steps(steps, place.isAtTop, performance.now())
  if (unknown.length === 0) return
  // The last ones: nobody reads more at once.
  for (const id of unknown.slice(-mostIds)) toRenew.add(id)
  renewing.refreshSoon()
}

listen((message) => {
  if (message.type === "live" && !isStreamLive) {
    isStreamLive = true
    if (isRequested) reload()
  }
  if (!isRequested) return
  switch (message.type) {
    case "step":
      backlog.push(message.step)
      // A hidden page draws no frames.
      if (backlog.length > longestBacklog || document.hidden) flush()
      else if (frame === 0) frame = requestAnimationFrame(flush)
      return
    case "removed":
      flush()
      return table.removed(message.sessionId)
    case "reset":
      backlog = []
      return reload()
  }
})

// Another reader must not see the rows of the one before.
effect(() => {
  if (me.value !== null) return
  generation += 1
  isRequested = false
  isStreamLive = false
  isLoading.value = false
  toRenew.clear()
  table.clear()
})
