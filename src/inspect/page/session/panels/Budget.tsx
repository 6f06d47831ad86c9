/** The restart budget as a picture: the deaths within the period, how many more are forgiven, and what is waited for. */
import type { Budget as BudgetOf, Detail, ProcessSpan } from "../../../sessionContract.ts"
import { now } from "../../clock.ts"
import { clockTime, duration, plural } from "../../../client/format.ts"
import { Countdown } from "../../ui/Time.tsx"
import { deathsOn, leftOfWait } from "../model/strip.ts"

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

export const Budget = ({ detail: { budget, processes } }: { readonly detail: Detail }) => (
  <div class="budget" tabIndex={0} role="region" aria-label="Restarts">
    <p>
      {plural(budget.intensity, "death")} within {duration(budget.period_seconds)}{" "}
      {budget.intensity === 1 ? "is" : "are"} forgiven; one more, and the session is parked.
    </p>
    <Pips budget={budget} />
    <Strip budget={budget} />
    {budget.backoff === null ? null : <Backoff {...budget.backoff} />}
    {budget.parked === null ? null : (
      <div class="parked" role="status">
        <b>Parked</b>
        <p>{budget.parked.reason}</p>
        <p class="dim">
          It takes turns again in <Countdown at={budget.parked.until} />, or when an operator unparks it.
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
              <span>{duration((ended_at ?? now.value) - started_at)}</span>
              <span class="dim">{ended_at === null ? "runs" : (exit ?? "ended")}</span>
              <Death span={span} />
            </li>
          )
        })}
    </ol>
    {processes.length > mostProcesses ? <p class="dim">And {processes.length - mostProcesses} before them.</p> : null}
  </div>
)

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

const Strip = ({ budget }: { readonly budget: BudgetOf }) => {
  const deaths = deathsOn(budget, now.value)
  const counting = deaths.filter(({ counts }) => counts).length
  return (
    <figure class="strip">
      <svg width="100%" height="40" role="img" aria-label={`${plural(counting, "death")} within the period`}>
        <rect class="strip-room" x="0" y="8" width="100%" height="20" rx="4" />
        {deaths
          .filter(({ counts }) => counts)
          .map(({ at, x }) => (
            <svg key={at} x={`${x * 100}%`} y="0" overflow="visible">
              <line class="strip-death" y1="4" y2="32" />
              <path class="strip-death" d="M-4 14 4 22M4 14-4 22" />
              <title>died {duration(now.value - at)} ago</title>
            </svg>
          ))}
      </svg>
      <figcaption>
        <span>{duration(budget.period_seconds)} ago</span>
        <span>
          {deaths.length === 0
            ? "no death is held against it"
            : deaths
                .filter(({ counts }) => counts)
                .map(({ at }) => `${duration(now.value - at)} ago`)
                .join(", ") || "the deaths are older than the period"}
        </span>
        <span>now</span>
      </figcaption>
    </figure>
  )
}

const round = 2 * Math.PI * 16

const Backoff = ({ seconds, until }: { readonly seconds: number; readonly until: number }) => (
  <div class="backoff" role="status">
    <svg width="44" height="44" viewBox="0 0 44 44" aria-hidden="true">
      <circle class="ring-room" cx="22" cy="22" r="16" />
      <circle
        class="ring"
        cx="22"
        cy="22"
        r="16"
        stroke-dasharray={`${round * leftOfWait(seconds, until, now.value)} ${round}`}
        transform="rotate(-90 22 22)"
      />
    </svg>
    <p>
      Backs off for {seconds.toFixed(1)} s; the next process starts in <Countdown at={until} />.
    </p>
  </div>
)
