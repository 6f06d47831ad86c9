/** What a session waits for, and how its last turn ended, each as a cell of the list. */
import type { SessionRow } from "../../contract.ts"
import { circuitOf, failedWords, failureOf, owedBy } from "../../client/words.ts"
import { itemBySession } from "../attention/attention.ts"
import { now } from "../clock.ts"
import { Age, Countdown, Since } from "../ui/Time.tsx"

/** Why it does not go on: a circuit, a silence, a parking, a failed turn, a tool, or whom it waits for. */
export const Reason = ({ row }: { readonly row: SessionRow }) => {
  const { reason, wait } = row
  const failed = failureOf(row)
  // Without one the row need not look at the clock.
  const circuit = row.circuit === null ? null : circuitOf(row, now.value)
  const silent = silenceOf(row)
  const title = [
    ...(circuit === null ? [] : [`Not started: starts of ${row.agent} kept failing. ${circuit.reason}`]),
    ...(silent === null ? [] : [silent]),
    ...(wait === null || wait.tool === null ? [] : [`Runs: ${wait.tool.title}`]),
    ...(reason === null ? [] : [`Parked: ${reason}`]),
    ...(wait === null ? [] : [`Waits for ${wait.what}: ${owedBy(wait)} can bring it about.`]),
    ...(failed === null || failed.failure === null ? [] : [failed.failure.message])
  ]
  return (
    <span class="reason" title={title.join("\n")}>
      {circuit === null ? null : (
        <span class="wait-failed">
          not started for <Countdown at={circuit.until} />: starts of {row.agent} kept failing
        </span>
      )}
      {silent === null ? null : <span class="wait-failed">{silent}</span>}
      {reason !== null ? (
        <span class="wait-failed">{reason}</span>
      ) : failed === null || circuit !== null ? null : (
        <span class="wait-failed">
          turn {failed.turn} {failedWords(failed)}
        </span>
      )}
      {wait === null || wait.who === "nobody" ? null : wait.tool !== null ? (
        <>
          <span class="wait-what">
            <code>{wait.tool.title}</code>
          </span>
          <span class="wait-who">
            runs for <Since at={wait.tool.since} />
          </span>
        </>
      ) : (
        <>
          <span class="wait-what">{wait.what}</span>
          <span class="wait-who">{owedBy(wait)}</span>
        </>
      )}
    </span>
  )
}

/** Its agent is silent for longer than is usual, by the rules of what needs a person. */
const silenceOf = (row: SessionRow): string | null => {
  const item = itemBySession.value.get(row.session_id)
  return item?.kind === "silent" ? item.what : null
}

const words = {
  completed: "completed",
  interrupted: "interrupted",
  failed: "failed",
  timed_out: "out of time"
} as const

export const Outcome = ({ row: { last_outcome: last } }: { readonly row: SessionRow }) =>
  last === null ? (
    <span class="faint">–</span>
  ) : (
    <>
      <span class={`outcome is-${last.status}`}>{words[last.status]}</span>{" "}
      <span class="cell-since">
        <Age at={last.at} />
      </span>
    </>
  )
