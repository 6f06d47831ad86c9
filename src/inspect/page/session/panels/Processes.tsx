/** What runs for the session: the processes of its agent, and what it last wrote to stderr. Asked while it is seen. */
import type { Detail } from "../../../sessionContract.ts"
import { bytes } from "../../../client/format.ts"
import { ProblemBox } from "../../ui/Problem.tsx"
import { Since } from "../../ui/Time.tsx"
import { useAsked } from "../../ui/useAsked.ts"
import { treeOf } from "../model/tree.ts"
import type { Store } from "../store.ts"
import { Death } from "./Budget.tsx"
import { Owners } from "./Owners.tsx"

interface Props {
  readonly store: Store
  readonly detail: Detail
}

const askMillis = 2_000

export const Processes = ({ detail, store }: Props) => {
  const { api } = store
  const { latest, problem } = useAsked(api === null ? null : () => api.processes(), askMillis, [api])
  const { pid, state, unseen, up_since } = detail.process
  const lastEnd = detail.processes.findLast(({ ended_at }) => ended_at !== null)
  return (
    <div class="processes" tabIndex={0} role="region" aria-label="Process">
      {unseen === null ? (
        <p>
          The agent's process {pid === null ? <b>is not running</b> : <b>{pid}</b>} <span class="dim">({state})</span>
          {up_since === null ? null : (
            <>
              , up <Since at={up_since} />
            </>
          )}
          .
        </p>
      ) : (
        <p role="status">{unseen}</p>
      )}
      {store.isLive.value ? null : <p class="faint">The tree is as it is now: processes leave no history.</p>}
      {problem === undefined ? null : <ProblemBox problem={problem} />}
      {latest === undefined || latest.tree.length === 0 ? null : (
        <table class="tree">
          <thead>
            <tr>
              <th scope="col" class="number">
                pid
              </th>
              <th scope="col">command</th>
              <th scope="col">does</th>
              <th scope="col" class="number">
                CPU
              </th>
              <th scope="col" class="number">
                RSS
              </th>
              <th scope="col" class="number">
                age
              </th>
            </tr>
          </thead>
          <tbody>
            {treeOf(latest.tree).map(({ branch, process }) => (
              <tr key={process.pid}>
                <td class="number">{process.pid}</td>
                <td>
                  <span class="faint mono">{branch}</span>
                  <code>{process.command}</code>
                </td>
                <Doing pid={process.pid} state={process.state} store={store} />
                <td class="number">{bytes(process.rss_bytes)}</td>
                <td class="number">{process.started_at === null ? "" : <Since at={process.started_at} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {pid === null && lastEnd !== undefined ? (
        <>
          <h2>
            Process {lastEnd.generation}, which ended {lastEnd.ended_at === null ? "" : <Since at={lastEnd.ended_at} />}{" "}
            ago
          </h2>
          <p>{lastEnd.exit}</p>
          <Death span={lastEnd} isOpen />
        </>
      ) : null}
      <Owners detail={detail} />
      {latest !== undefined && latest.first_malformed_line !== null ? (
        <>
          <h2>
            {latest.malformed_lines === 1
              ? "A line of stdout that is no message"
              : `${latest.malformed_lines} lines of stdout that are no message, the first`}
          </h2>
          <pre class="stderr">{latest.first_malformed_line}</pre>
        </>
      ) : null}
      {latest !== undefined && latest.stderr !== "" ? (
        <>
          <h2>stderr, its end</h2>
          <pre class="stderr">{latest.stderr}</pre>
        </>
      ) : null}
    </div>
  )
}

/** What a process does, by the last diagnosis. */
const Doing = ({
  pid,
  state,
  store
}: {
  readonly pid: number
  readonly state: string | null
  readonly store: Store
}) => {
  const found = store.diagnosis.value?.processes.find((process) => process.pid === pid)
  const isStopped = state === "T" || state === "t"
  return (
    <>
      <td class={isStopped ? "bad" : "dim"}>
        <span title={state === null ? "" : `The kernel's state: ${state}`}>
          {found?.state_words ?? state ?? ""}
          {found?.waits_for == null || isStopped ? "" : `: ${found.waits_for}`}
        </span>
      </td>
      <td class="number">{found?.cpu == null ? "" : `${Math.round(found.cpu * 100)} %`}</td>
    </>
  )
}
