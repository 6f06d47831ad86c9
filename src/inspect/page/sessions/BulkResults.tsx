/** How far a press for many sessions has come, and what became of each of them. */
import { plural } from "../../client/format.ts"
import { hashOfSession } from "../app/router.ts"
import { atOnce, bulk, runBulk, stopBulk, undone } from "./bulk.ts"
import type { Bulk, Result } from "./bulk.ts"

const countsOf = ({ results }: Bulk) => {
  const done = results.filter(({ isDone }) => isDone === true).length
  const refused = results.filter(({ isDone }) => isDone === false).length
  return { done, refused, open: results.length - done - refused }
}

const sentenceOf = (now: Bulk): string => {
  const { done, open, refused } = countsOf(now)
  const words = [`${done} done`, ...(refused === 0 ? [] : [`${refused} refused`])]
  if (now.isRunning) return `${now.title}: ${done + refused} of ${now.results.length}, ${atOnce} at a time`
  return `${now.title}: ${[...words, ...(open === 0 ? [] : [`${open} not begun`])].join(", ")}`
}

export const BulkResults = () => {
  const now = bulk.value
  if (now === null) return null
  const { done, refused } = countsOf(now)
  const left = undone(now)
  return (
    <div class="bulk-results">
      <div class="bulk-bar">
        <b role="status">{sentenceOf(now)}</b>
        {now.isRunning ? (
          <>
            <progress max={now.results.length} value={done + refused} aria-label={now.title} />
            <button type="button" class="button" disabled={now.isStopped} onClick={stopBulk}>
              Stop
            </button>
          </>
        ) : (
          <>
            {left.length === 0 ? null : (
              <button type="button" class="button" onClick={() => void runBulk(now.title, left)}>
                Try {plural(left.length, "one", "ones")} again
              </button>
            )}
            <button
              type="button"
              class="button"
              onClick={() => {
                bulk.value = null
              }}
            >
              Put away
            </button>
          </>
        )}
      </div>
      <details open={refused > 0}>
        <summary>What became of each</summary>
        <ul class="bulk-names" tabIndex={0} aria-label="What became of each">
          {/* What was refused first: the rest is as it was meant. */}
          {[...now.results]
            .toSorted((a, b) => rank(a) - rank(b))
            .map((result, nth) => (
              <Line key={nth} result={result} />
            ))}
        </ul>
      </details>
    </div>
  )
}

const rank = ({ isDone }: Result) => (isDone === false ? 0 : isDone === null ? 1 : 2)

const Line = ({ result: { isDone, note, task } }: { readonly result: Result }) => (
  <li class={isDone === false ? "is-refused" : ""}>
    <a href={hashOfSession(task.session.session_id)} title={task.session.session_id}>
      {task.session.name}
    </a>{" "}
    {task.what === "" ? null : <code>{task.what}</code>}{" "}
    <span class={isDone === false ? "" : "dim"}>
      {isDone === null ? "not yet" : isDone ? `done: ${note}` : `refused: ${note}`}
    </span>
  </li>
)
