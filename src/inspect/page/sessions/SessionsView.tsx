/** All sessions: how many are in each state, a search, and the table. */
import { useEffect } from "preact/hooks"
import type { SessionFilter } from "../../client/api.ts"
import { isFiltered } from "../../client/rows.ts"
import { phase } from "../store.ts"
import { ProblemBox } from "../ui/Problem.tsx"
import { BulkBar } from "./BulkBar.tsx"
import { CountsBar } from "./CountsBar.tsx"
import { isLoading, problem, reload, show, table } from "./feed.ts"
import { Grid } from "./Grid.tsx"
import { Tools } from "./Tools.tsx"

export const SessionsView = ({ filter }: { readonly filter: SessionFilter }) => {
  useEffect(() => show(filter), [filter])
  return (
    <main id="view" class="view sessions" tabIndex={-1}>
      <h1 class="hidden-text">All sessions</h1>
      <CountsBar filter={filter} />
      <Tools filter={filter} />
      {problem.value === undefined ? null : (
        <div class="sessions-problem">
          <ProblemBox problem={problem.value} onRetry={reload} />
        </div>
      )}
      {table.order.value.length === 0 && table.cursor.value !== undefined && !isLoading.value ? (
        <Nothing filter={filter} />
      ) : (
        <Grid filter={filter} />
      )}
      <BulkBar filter={filter} />
      <p class="hidden-text" role="status">
        {phase.value.name === "live" && !isLoading.value ? `${table.count.value} sessions match` : ""}
      </p>
    </main>
  )
}

const Nothing = ({ filter }: { readonly filter: SessionFilter }) =>
  isFiltered(filter) ? (
    <div class="empty">
      <h2>No session matches</h2>
      <a href="#/sessions">Show all</a>
    </div>
  ) : (
    <div class="empty">
      <h2>No sessions yet</h2>
      <p>
        <a href="#/new">Start one here</a>, or from a terminal:
      </p>
      <pre>
        {`curl -s ${location.origin}/sessions -H "authorization: Bearer $TROUPE_TOKEN" \\\n  -H 'content-type: application/json' -d '{"agent": "demo"}'`}
      </pre>
    </div>
  )
