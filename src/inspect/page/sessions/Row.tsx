/** One session as a line; on a narrow screen, as a card of three. */
import type { Signal } from "@preact/signals"
import { hashOfSession } from "../app/router.ts"
import { count } from "../../client/format.ts"
import { isAdmin, thisNode } from "../store.ts"
import { OutcomeMark, StateBadge } from "../ui/State.tsx"
import { now } from "../clock.ts"
import { Age, Countdown, Since } from "../ui/Time.tsx"
import type { SessionRow } from "../../contract.ts"
import type { LiveRow } from "./table.ts"
import { circuitOf, failedWords, failureOf, nextWords, owedBy } from "../../client/words.ts"

interface Props {
  readonly live: Signal<LiveRow>
  readonly index: number
  readonly top: number
  readonly isActive: boolean
  readonly onFocus: () => void
}

const flashMillis = 900

/** A row that is rendered again because it was scrolled to has not changed. */
const flashOf = (changedAt: number): string =>
  changedAt > 0 && performance.now() - changedAt < flashMillis ? ` flash-${Math.round(changedAt) % 2}` : ""

export const Row = ({ index, isActive, live, onFocus, top }: Props) => {
  const { changedAt, row } = live.value
  const { wait } = row
  const href = hashOfSession(row.session_id)
  return (
    <div
      class={`grid-line grid-row${flashOf(changedAt)}`}
      role="row"
      aria-rowindex={index + 2}
      tabIndex={isActive ? 0 : -1}
      data-index={index}
      data-session={row.session_id}
      style={{ transform: `translateY(${top}px)` }}
      onFocus={onFocus}
      onClick={(event) => {
        // Text that is being selected is not a press; a link does its own.
        const isLink = event.target instanceof Element && event.target.closest("a") !== null
        if (!isLink && getSelection()?.isCollapsed !== false) location.hash = href
      }}
    >
      <span role="gridcell" class="cell-state">
        <StateBadge substate={row.substate} />
        <OutcomeMark row={row} />
      </span>
      <span role="gridcell" class="cell-id">
        <a href={href} class="mono" tabIndex={-1} title={row.session_id}>
          {row.session_id}
        </a>
      </span>
      <span role="gridcell" class="cell-agent" title={row.agent}>
        {row.agent}
      </span>
      {isAdmin.value ? (
        <span role="gridcell" class="cell-app" title={row.app}>
          {row.app}
        </span>
      ) : null}
      {thisNode.value === null ? null : (
        <span role="gridcell" class="cell-node" title={row.node ?? "No node has it"}>
          {row.node ?? <span class="faint">–</span>}
        </span>
      )}
      <span role="gridcell" class="number cell-age">
        <Age at={row.created_at} />
      </span>
      <span role="gridcell" class="number cell-turns">
        {row.turns === 0 ? <span class="faint">0</span> : count(row.turns)}
      </span>
      <span role="gridcell" class={`number cell-restarts${row.restarts === 0 ? " faint" : " has-restarts"}`}>
        {count(row.restarts)}
      </span>
      <span role="gridcell" class="number cell-tokens">
        {row.total_tokens === 0 ? <span class="faint">0</span> : count(row.total_tokens)}
      </span>
      <WaitCell row={row} />
      <span role="gridcell" class="cell-next">
        {wait?.next === null || wait?.next === undefined ? null : (
          <span title={wait.next.timer}>
            <Countdown at={wait.next.at} />
            <span class="next-to">{nextWords(row.substate, wait.next)}</span>
          </span>
        )}
      </span>
    </div>
  )
}

const WaitCell = ({ row }: { readonly row: SessionRow }) => {
  const { wait } = row
  const failed = failureOf(row)
  const title = [
    ...(wait === null ? [] : [`Waits for ${wait.what}: ${owedBy(wait)} can bring it about.`]),
    ...(failed === null || failed.failure === null ? [] : [failed.failure.message])
  ]
  return (
    <span role="gridcell" class="cell-wait" title={title.join("\n")}>
      <HeldUp row={row} />
      {failed === null || circuitOf(row, now.value) !== null ? null : (
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

const HeldUp = ({ row }: { readonly row: SessionRow }) => {
  const circuit = circuitOf(row, now.value)
  return circuit === null ? null : (
    <span class="wait-failed" title={circuit.reason}>
      not started for <Countdown at={circuit.until} />: starts of {row.agent} kept failing
    </span>
  )
}
