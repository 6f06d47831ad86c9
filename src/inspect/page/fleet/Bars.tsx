/** Turns by outcome over time; a press on a bar lists the sessions behind it. */
import { useEffect, useState } from "preact/hooks"
import type { Fleet, FleetBar, FleetSessions } from "../../fleetContract.ts"
import { clockTime, digits } from "../../client/format.ts"
import { hashOfSession } from "../app/router.ts"
import { now } from "../clock.ts"
import { api, sayProblem } from "../store.ts"
import { failedIn, outcomes, turnsIn } from "./outcomes.ts"

export const Bars = ({ fleet }: { readonly fleet: Fleet }) => {
  const { bars, step_seconds: step } = fleet
  const [chosen, setChosen] = useState<number | null>(null)
  const highest = Math.max(1, ...bars.map(({ outcomes }) => turnsIn(outcomes)))
  const bar = bars.find(({ at }) => at === chosen)
  return (
    <section class="panel fleet-section" aria-label="Turns over time">
      <h2>
        Turns that ended <span class="faint">by outcome; a bar opens its sessions</span>
      </h2>
      <div class="fleet-bars">
        {bars.map((each) => (
          <Bar
            key={each.at}
            bar={each}
            highest={highest}
            isChosen={each.at === chosen}
            onPress={() => setChosen(each.at === chosen ? null : each.at)}
          />
        ))}
      </div>
      <div class="fleet-axis" aria-hidden="true">
        <span>{timeOf(fleet.from)}</span>
        <span>{digits(highest)} at most</span>
        <span>{timeOf(fleet.to)}</span>
      </div>
      {bar === undefined ? null : <Behind key={bar.at} bar={bar} step={step} />}
    </section>
  )
}

const timeOf = (at: number) => clockTime(at, now.peek()).replace(/:\d\d$/, "")

const sentenceOf = ({ at, outcomes: counts }: FleetBar): string => {
  const parts = outcomes.flatMap(({ name, words }) => ((counts[name] ?? 0) === 0 ? [] : [`${counts[name]} ${words}`]))
  return `${timeOf(at)}: ${parts.length === 0 ? "no turn" : parts.join(", ")}`
}

interface BarProps {
  readonly bar: FleetBar
  readonly highest: number
  readonly isChosen: boolean
  readonly onPress: () => void
}

const Bar = ({ bar, highest, isChosen, onPress }: BarProps) => (
  <button
    type="button"
    class="fleet-bar"
    title={sentenceOf(bar)}
    aria-label={sentenceOf(bar)}
    aria-pressed={isChosen}
    onClick={onPress}
  >
    {outcomes.map(({ name, tone }) => (
      <i key={name} class={`tone-${tone}`} style={{ height: `${(100 * (bar.outcomes[name] ?? 0)) / highest}%` }} />
    ))}
  </button>
)

/** Where some failed, those; else the sessions that were active last then: how each of their turns ended is not listed by time. */
const Behind = ({ bar, step }: { readonly bar: FleetBar; readonly step: number }) => {
  const hasFailed = failedIn(bar.outcomes) > 0
  const [failed, setFailed] = useState(hasFailed)
  const [answer, setAnswer] = useState<FleetSessions | undefined>()
  useEffect(() => {
    let isHere = true
    setAnswer(undefined)
    api.fleetSessions(bar.at, bar.at + step, failed).then((answer) => isHere && setAnswer(answer), sayProblem)
    return () => {
      isHere = false
    }
  }, [bar.at, failed])
  return (
    <div class="fleet-behind">
      <p>
        <b>{sentenceOf(bar)}</b>
        <span class="fleet-windows" role="group" aria-label="Which sessions">
          {hasFailed ? (
            <button type="button" class="button" aria-pressed={failed} onClick={() => setFailed(true)}>
              Failed turns
            </button>
          ) : null}
          <button type="button" class="button" aria-pressed={!failed} onClick={() => setFailed(false)}>
            Last active then
          </button>
        </span>
      </p>
      {answer === undefined ? (
        <p class="dim">Loading…</p>
      ) : answer.sessions.length === 0 ? (
        <p class="dim">{failed ? "Their sessions were deleted." : "Their sessions went on later, or were deleted."}</p>
      ) : (
        <ul>
          {answer.sessions.map(({ agent, app, at, name, session_id, what }) => (
            <li key={`${session_id} ${at}`}>
              <span class="faint">{clockTime(at, now.peek())}</span>
              <a class="cut-name" href={hashOfSession(session_id)} title={session_id}>
                {name}
              </a>
              <span class="dim">
                {agent} · {app}
              </span>
              <span class="fleet-what" title={what}>
                {what}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
