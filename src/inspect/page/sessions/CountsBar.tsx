/** How many sessions are in each state, live; a press shows only those. */
import type { State } from "../../contract.ts"
import type { SessionFilter } from "../../client/api.ts"
import { replace } from "../app/location.ts"
import { digits } from "../../client/format.ts"
import { Sign } from "../ui/State.tsx"
import { table } from "./feed.ts"

const states: ReadonlyArray<State> = ["idle", "turning", "retiring", "closed"]

export const CountsBar = ({ filter }: { readonly filter: SessionFilter }) => {
  const counts = table.counts.value
  const total = states.reduce((sum, state) => sum + counts[state], 0)
  const pick = (state: State | null) =>
    replace({ view: "sessions", filter: { ...filter, state: filter.state === state ? null : state } })
  return (
    <div class="counts">
      <div class="counts-bar" aria-hidden="true">
        {states.map((state) => (
          <i
            key={state}
            class={`tone-${state}${filter.state === null || filter.state === state ? "" : " is-off"}`}
            style={{ flexGrow: counts[state], display: counts[state] === 0 ? "none" : "block" }}
          />
        ))}
      </div>
      <div class="counts-list" role="group" aria-label="Sessions by state">
        <button type="button" class="count" aria-pressed={filter.state === null} onClick={() => pick(null)}>
          <span>all</span>
          <b>{digits(total)}</b>
        </button>
        {states.map((state) => (
          <button
            key={state}
            type="button"
            class={`count tone-${state}`}
            aria-pressed={filter.state === state}
            onClick={() => pick(state)}
          >
            <Sign tone={state} />
            <span>{state}</span>
            <b>{digits(counts[state])}</b>
          </button>
        ))}
      </div>
    </div>
  )
}
