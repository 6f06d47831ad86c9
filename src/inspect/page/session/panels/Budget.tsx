/** The restart budget as a picture: the deaths within the period, how many more are forgiven, and what is waited for. */
import type { Budget as BudgetOf, Detail, ProcessSpan } from "../../../sessionContract.ts"
import { now } from "../../clock.ts"
import { clockTime, duration, plural } from "../../../client/format.ts"
import { Countdown } from "../../ui/Time.tsx"
import { deathsOn, leftOfWait } from "../model/strip.ts"
import { budgetThen, olderDeaths, processesThen, timeShown } from "../model/then.ts"
import type { Store } from "../store.ts"

/** More rows than this are read by nobody. */
const mostProcesses = 100

/** One for each death that is forgiven: full is left, empty is spent. */
export const Pips = ({ budget: { intensity, left } }: { readonly budget: BudgetOf }) => (
  <span class="pips" role="img" aria-label={`${left} of ${intensity}`}>
    {Array.from({ length: Math.min(intensity, 12) }, (_, n) => (
      <i key={n} class={n < left ? "left" : "spent"} />
    ))}
    <span>
      {left} of {intensity}
    </span>
  </span>
)

export const Budget = ({ detail, store }: { readonly detail: Detail; readonly store: Store }) => {
  const at = timeShown(store, now.value)
  const budget = budgetThen(store, detail, at)
  const processes = processesThen(detail.processes, at)
  const isLive = store.isLive.value
  return (
    <div class="budget" tabIndex={0} role="region" aria-label="Restarts">
      <p>
        {plural(budget.intensity, "death")} within {duration(budget.period_seconds)}{" "}
        {budget.intensity === 1 ? "is" : "are"} forgiven; one more, and the session is parked.
      </p>
      <Pips budget={budget} />
      <Strip budget={budget} older={olderDeaths(processes, budget, at)} at={at} isLive={isLive} />
      {budget.backoff === null ? null : <Backoff {...budget.backoff} at={at} />}
      {budget.parked === null ? null : (
        <div class="parked" role="status">
          <b>Parked</b>
          <p>{budget.parked.reason}</p>
          <p class="dim">
            It takes turns again in{" "}
            {isLive ? <Countdown at={budget.parked.until} /> : duration(budget.parked.until - at)}, or when an operator
            unparks it.
          </p>
        </div>
      )}
      <h2>Processes</h2>
      {processes.length === 0 ? <p class="dim">None was ever started.</p> : null}
      <ol class="spans">
        {processes
          .slice(-mostProcesses)
          .toReversed()
          .map((span) => {
            const { ended_at, exit, generation, is_failure, started_at } = span
            return (
              <li key={generation} class={ended_at === null ? "alive" : is_failure ? "failed" : ""}>
                <b>{generation}</b>
                <span>{clockTime(started_at, now.value)}</span>
                <span>{duration((ended_at ?? at) - started_at)}</span>
                <span class="dim">{ended_at === null ? (isLive ? "runs" : "ran") : (exit ?? "ended")}</span>
                <Death span={span} />
              </li>
            )
          })}
      </ol>
      {processes.length > mostProcesses ? <p class="dim">And {processes.length - mostProcesses} before them.</p> : null}
    </div>
  )
}

/** The end of a process, to be opened: what the kernel said, and its last words. */
export const Death = ({ isOpen = false, span: { death } }: { readonly span: ProcessSpan; readonly isOpen?: boolean }) =>
  death === null ? null : (
    <details open={isOpen}>
      <summary>{exitWords(death)}</summary>
      {death.stderr === "" ? <p class="dim">It wrote nothing to stderr.</p> : <pre class="stderr">{death.stderr}</pre>}
    </details>
  )

const exitWords = ({ code, signal }: NonNullable<ProcessSpan["death"]>): string =>
  signal !== null
    ? `killed by ${signal}`
    : code === null
      ? "how it ended is not known; stderr"
      : `exit code ${code}, and its stderr`

interface StripOf {
  readonly budget: BudgetOf
  readonly older: ReadonlyArray<number>
  readonly at: number
  readonly isLive: boolean
}

const Strip = ({ at, budget, isLive, older }: StripOf) => {
  const deaths = deathsOn(budget, older, at)
  const counting = deaths.filter(({ counts }) => counts)
  return (
    <figure class="strip">
      <svg width="100%" height="40" role="img" aria-label={`${plural(counting.length, "death")} within the period`}>
        <rect class="strip-before" x="0" y="8" width="50%" height="20" rx="4" />
        <rect class="strip-room" x="50%" y="8" width="50%" height="20" rx="4" />
        {deaths.map((death) => (
          <svg key={death.at} x={`${death.x * 100}%`} y="0" overflow="visible">
            <g class={death.counts ? "strip-death" : "strip-death older"}>
              <line y1="4" y2="32" />
              <path d="M-4 14 4 22M4 14-4 22" />
            </g>
            <title>
              died {duration(at - death.at)} {isLive ? "ago" : "before"}
              {death.counts ? "" : ", and no longer counts"}
            </title>
          </svg>
        ))}
      </svg>
      <figcaption>
        <span>no longer counts</span>
        <span>
          {deaths.length === 0
            ? "no death is held against it"
            : counting.length === 0
              ? `the last death, ${duration(at - Math.max(...deaths.map((death) => death.at)))} ${isLive ? "ago" : "before"}, no longer counts`
              : counting.map((death) => `${duration(at - death.at)} ${isLive ? "ago" : "before"}`).join(", ")}
        </span>
        <span>{isLive ? "now" : "then"}</span>
      </figcaption>
    </figure>
  )
}

const round = 2 * Math.PI * 16

const Backoff = ({ at, seconds, until }: { readonly at: number; readonly seconds: number; readonly until: number }) => (
  <div class="backoff" role="status">
    <svg width="44" height="44" viewBox="0 0 44 44" aria-hidden="true">
      <circle class="ring-room" cx="22" cy="22" r="16" />
      <circle
        class="ring"
        cx="22"
        cy="22"
        r="16"
        stroke-dasharray={`${round * leftOfWait(seconds, until, at)} ${round}`}
        transform="rotate(-90 22 22)"
      />
    </svg>
    <p>
      Waits for {seconds.toFixed(1)} s before the next start, which is{" "}
      {until <= at ? "due" : `in ${duration(until - at)}`}.
    </p>
  </div>
)
