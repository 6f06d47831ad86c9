/** How many sessions are in each state and substate, live; each is a link to the list of those. */
import type { State } from "../../contract.ts"
import type { SessionFilter } from "../../client/api.ts"
import { digits } from "../../client/format.ts"
import { states } from "../../client/rows.ts"
import { stateOf, substateWords, toneOf } from "../../client/tones.ts"
import { hashOf } from "../app/router.ts"
import { Sign } from "../ui/State.tsx"
import { table } from "./feed.ts"

export const CountsBar = ({ filter }: { readonly filter: SessionFilter }) => {
  const counts = table.counts.value
  const total = states.reduce((sum, state) => sum + counts[state], 0)
  const isAll = filter.state === null && filter.substate === null
  const isShown = (state: State) =>
    isAll || filter.state === state || (filter.substate !== null && stateOf(filter.substate) === state)
  return (
    <div class="counts">
      <div class="counts-bar" aria-hidden="true">
        {states.map((state) => (
          <i
            key={state}
            class={`tone-${state}${isShown(state) ? "" : " is-off"}`}
            style={{ flexGrow: counts[state], display: counts[state] === 0 ? "none" : "block" }}
          />
        ))}
      </div>
      <nav class="counts-list" aria-label="Sessions by state">
        <a class="count" aria-current={isAll} href={hashWith(filter, null, null)}>
          <span>all</span>
          <b>{digits(total)}</b>
        </a>
        {states.map((state) => (
          <StateCounts key={state} state={state} filter={filter} />
        ))}
      </nav>
    </div>
  )
}

const hashWith = (filter: SessionFilter, state: State | null, substate: string | null) =>
  hashOf({ view: "sessions", filter: { ...filter, state, substate } })

/** A state with its substates: of one that has a single kind the number is said once. */
const StateCounts = ({ filter, state }: { readonly filter: SessionFilter; readonly state: State }) => {
  const count = table.counts.value[state]
  const substates = Object.entries(table.substates.value)
    .filter(([substate, n]) => stateOf(substate) === state && (n > 0 || filter.substate === substate))
    .toSorted(([a], [b]) => a.localeCompare(b))
  return (
    <>
      <a
        class={`count tone-${state}`}
        aria-current={filter.state === state && filter.substate === null}
        href={hashWith(filter, state, null)}
      >
        <Sign tone={state} />
        <span>{state}</span>
        <b>{digits(count)}</b>
      </a>
      {substates.map(([substate, n]) => (
        <a
          key={substate}
          class={`count is-substate tone-${toneOf(substate)}`}
          aria-current={filter.substate === substate}
          href={hashWith(filter, null, substate)}
        >
          {toneOf(substate) === state ? null : <Sign tone={toneOf(substate)} />}
          <span>{substateWords(substate)}</span>
          <b>{digits(n)}</b>
        </a>
      ))}
    </>
  )
}
