/** The chart as a list, where a screen is too narrow to draw it: the states with how often each was entered. */
import { substateWords, toneOf } from "../../../client/tones.ts"
import { Sign } from "../../ui/State.tsx"
import type { ChartState } from "../../../chart/read.ts"
import type { Store } from "../store.ts"

export const StateList = ({ store }: { readonly store: Store }) => (
  <ul class="state-list">
    {store.chart.root.children.map((state) => (
      <li key={state.path}>
        <b class={`tone-${toneOf(state.path)}`}>
          <Sign tone={toneOf(state.path)} /> {state.key}
        </b>
        <span class="state-list-inner">
          {(state.children.length === 0 ? [state] : state.children).map((leaf) => (
            <Leaf key={leaf.path} leaf={leaf} store={store} />
          ))}
        </span>
      </li>
    ))}
  </ul>
)

const Leaf = ({ leaf, store }: { readonly leaf: ChartState; readonly store: Store }) => {
  const isActive = store.active.value === leaf.path
  const times = store.visits.value.get(leaf.path) ?? 0
  return (
    <button
      type="button"
      class={`chip tone-${toneOf(leaf.path)}${isActive ? " active" : ""}${times === 0 ? " never" : ""}`}
      aria-current={isActive ? "step" : undefined}
      onClick={() => {
        store.selected.value = leaf.path
        store.tab.value = "state"
      }}
    >
      {substateWords(leaf.path) || leaf.key}
      {times === 0 ? null : <span class="times">{times}</span>}
    </button>
  )
}
