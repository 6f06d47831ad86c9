/**
 * Fills the table: the first page of a filter, further ones as somebody scrolls, and the news of the house in between.
 * It goes on while a session is looked at, so that who comes back finds the table as it is now, where they left it.
 */
import { effect, signal } from "@preact/signals"
import { listen } from "../app/serverStatus.ts"
import { problemFrom } from "../../client/api.ts"
import type { Problem, SessionFilter } from "../../client/api.ts"
import { noFilter } from "../../client/rows.ts"
import type { SlimStep } from "../../contract.ts"
import { api, me } from "../store.ts"
import { Table } from "./table.ts"

const pageSize = 100
/** A count costs the server a look at all sessions: not at each step. */
const recountMillis = 10_000
/** A house in full swing tells thousands of steps a second; a screen shows sixty pictures. */
const longestBacklog = 20_000

export const table = new Table()
export const problem = signal<Problem | undefined>(undefined)
export const isLoading = signal(false)
/** The row that has the keyboard's attention. */
export interface Place {
  readonly index: number
  readonly id: string | undefined
}

const first: Place = { index: 0, id: undefined }

/** Where the reader was, kept for when they come back. */
export const place = { scrollTop: 0, active: first, isAtTop: true, hasLeft: false }

let filter: SessionFilter = noFilter
let generation = 0
let isAsked = false
/** Rows that are asked for before the news comes would miss what happens in between. */
let hasNews = false
const newsWithinMillis = 1_500

/** Does nothing where the table has this filter already. */
export const show = (wanted: SessionFilter): void => {
  if (isAsked && JSON.stringify(wanted) === JSON.stringify(filter)) return
  filter = wanted
  isAsked = true
  if (hasNews) return reload()
  isLoading.value = true
  const own = generation
  setTimeout(() => own === generation && reload(), newsWithinMillis)
}

/** The rows that are there stay until the new ones come. */
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

const load = async (own: number, cursor: string | undefined): Promise<void> => {
  isLoading.value = true
  try {
    const answer = await api.sessions(filter, pageSize, cursor)
    if (own !== generation) return
    flush()
    table.page(answer, cursor === undefined)
    problem.value = undefined
  } catch (cause) {
    if (own !== generation) return
    problem.value = problemFrom(cause)
    if (problem.value.status === 401) me.value = null
  }
  isLoading.value = false
}

const recount = async (): Promise<void> => {
  if (!table.isUnsure || isLoading.peek() || document.hidden) return
  const own = generation
  try {
    const answer = await api.sessions(filter, 1)
    if (own === generation) table.recounted(answer)
  } catch {
    // The next one will tell.
  }
}
setInterval(() => void recount(), recountMillis)

let backlog: Array<SlimStep> = []
let frame = 0

const flush = () => {
  cancelAnimationFrame(frame)
  frame = 0
  if (backlog.length === 0) return
  const steps = backlog
  backlog = []
  table.steps(steps, place.isAtTop, performance.now())
}

listen((news) => {
  if (news.type === "live" && !hasNews) {
    hasNews = true
    if (isAsked) reload()
  }
  if (!isAsked) return
  switch (news.type) {
    case "step":
      backlog.push(news.step)
      // No frames are drawn of a page that is not seen.
      if (backlog.length > longestBacklog || document.hidden) flush()
      else if (frame === 0) frame = requestAnimationFrame(flush)
      return
    case "removed":
      flush()
      return table.removed(news.sessionId)
    case "reset":
      backlog = []
      return reload()
  }
})

// Another reader must not see the rows of the one before.
effect(() => {
  if (me.value !== null) return
  generation += 1
  isAsked = false
  hasNews = false
  isLoading.value = false
  table.clear()
})
