/**
 * One thing done to many sessions: as single requests, each with the permissions and the audit line that it has alone, a few at
 * a time (decision 0054). It goes on while another view is open; what was refused is said row by row, and can be tried again.
 */
import { effect, signal } from "@preact/signals"
import { problemFrom } from "../../client/api.ts"
import type { Approval, SessionRow } from "../../contract.ts"
import { api, me } from "../store.ts"

/** A browser has six connections to a server; the stream of steps has one, and the page needs another. */
export const atOnce = 4

/** A single action, named for a person. */
export interface Task {
  readonly session: Pick<SessionRow, "session_id" | "name">
  /** What it is done to, where that is not the session itself. */
  readonly what: string
  readonly run: () => Promise<{ readonly note: string }>
}

export interface Result {
  readonly task: Task
  /** `null`: it is not done yet. */
  readonly isDone: boolean | null
  readonly note: string
}

export interface Bulk {
  /** Such as `Close 12 sessions`. */
  readonly title: string
  readonly results: ReadonlyArray<Result>
  readonly isRunning: boolean
  /** What has begun is finished, and nothing else begins. */
  readonly isStopped: boolean
}

/** The last one; `null`: there was none, or it was put away. */
export const bulk = signal<Bulk | null>(null)

export const runBulk = async (title: string, tasks: ReadonlyArray<Task>): Promise<void> => {
  if (bulk.peek()?.isRunning === true) return
  bulk.value = {
    title,
    results: tasks.map((task) => ({ task, isDone: null, note: "" })),
    isRunning: true,
    isStopped: false
  }
  let next = 0
  const worker = async () => {
    while (next < tasks.length && bulk.peek()?.isStopped === false) {
      const nth = next
      next += 1
      const result = await outcomeOf(tasks[nth]!)
      const now = bulk.peek()
      if (now === null) return
      bulk.value = { ...now, results: now.results.with(nth, result) }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  if (bulk.peek() !== null) bulk.value = { ...bulk.peek()!, isRunning: false }
}

const outcomeOf = async (task: Task): Promise<Result> => {
  try {
    return { task, isDone: true, note: (await task.run()).note }
  } catch (cause) {
    const { detail, status } = problemFrom(cause)
    const note = status === 0 ? `${detail} Whether it was done is not known.` : detail
    return { task, isDone: false, note }
  }
}

export const stopBulk = (): void => {
  if (bulk.peek() !== null) bulk.value = { ...bulk.peek()!, isStopped: true }
}

/** Those that were refused, and those that have not begun. */
export const undone = ({ results }: Bulk): ReadonlyArray<Task> =>
  results.flatMap(({ isDone, task }) => (isDone === true ? [] : [task]))

export const closing = (rows: ReadonlyArray<SessionRow>): ReadonlyArray<Task> =>
  rows.map((session) => ({ session, what: "", run: () => api.act(session.session_id, "close") }))

export const unparking = (rows: ReadonlyArray<SessionRow>): ReadonlyArray<Task> =>
  rows.map((session) => ({ session, what: "", run: () => api.act(session.session_id, "unpark") }))

export const answering = (approvals: ReadonlyArray<Approval>, decision: "once" | "deny"): ReadonlyArray<Task> =>
  approvals.map(({ approval_id, name, session_id, title }) => ({
    session: { session_id, name: name ?? session_id },
    what: title,
    run: () => api.answer(session_id, approval_id, { decision })
  }))

// Whoever closes the page would leave the rest undone.
addEventListener("beforeunload", (event) => {
  if (bulk.peek()?.isRunning === true) event.preventDefault()
})

effect(() => {
  if (me.value !== null) return
  stopBulk()
  bulk.value = null
})
