/** Time travel: over the stored steps, forth and back. Nothing is run again; `Live` comes back to now. */
import { wordsOfStored } from "../../../client/machineWords.ts"
import { useEffect } from "preact/hooks"
import { now } from "../../clock.ts"
import { clockTime, duration } from "../../../client/format.ts"
import { timerName } from "../model/timers.ts"
import { Copy } from "../../ui/Copy.tsx"
import { goToFailure } from "../goTo.ts"
import { linkTo } from "../place.ts"
import type { Store } from "../store.ts"
import { whole, zoomed } from "./axis.ts"

export const TravelBar = ({ store }: { readonly store: Store }) => {
  const count = store.steps.value.length
  const at = Math.min(store.moment.value, count)
  const step = store.last.value?.step
  const isLive = store.isLive.value
  const noStep = isLive && store.rebuilding.value !== null ? "being rebuilt" : "before the first step"
  useTravelKeys(store)
  return (
    <div class={`travel${isLive ? "" : " travelling"}`}>
      <button
        type="button"
        class="icon-button"
        aria-label="One step back"
        disabled={at === 0}
        onClick={() => store.travel(at - 1)}
      >
        ◀
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label="One step on"
        disabled={at >= count}
        onClick={() => store.travel(at + 1)}
      >
        ▶
      </button>
      <input
        type="range"
        min={0}
        max={count}
        value={at}
        aria-label="The step that is looked at"
        aria-valuetext={
          step === undefined ? noStep : `step ${step.seq}, ${wordsOfStored(step.event.type)}, to ${step.to}`
        }
        onInput={(event) => store.travel(Number(event.currentTarget.value))}
      />
      <span class="travel-step">
        {step === undefined ? (
          <span class="dim">{noStep}</span>
        ) : (
          <>
            <b>
              {step.seq}
              <span class="faint">/{store.steps.value.at(-1)?.step.seq}</span>
            </b>{" "}
            <span title={timerName(step.event.type)}>{wordsOfStored(step.event.type)}</span>{" "}
            <span class="dim">
              {clockTime(step.at, now.value, true)}
              {isLive ? "" : `, ${duration(now.value - step.at)} ago`}
            </span>
          </>
        )}
      </span>
      {store.api === null ? null : (
        <Copy
          label="Copy a link to this moment"
          text={() => linkTo(store, store.detail.value?.session.session_id ?? "")}
        >
          link
        </Copy>
      )}
      {store.view.value === null ? null : (
        <button type="button" class="button" onClick={() => (store.view.value = null)}>
          All of it
        </button>
      )}
      <button type="button" class="button live-button" disabled={store.cursor.value === null} onClick={store.goLive}>
        {store.isOver.value || store.api === null ? "Last" : "Live"}
      </button>
    </div>
  )
}

/** Looks closer at the moment that is shown, or from further away. */
const zoom = (store: Store, factor: number) => {
  const axis = store.axis.peek()
  const all = whole(axis)
  const view = store.view.peek() ?? all
  const at = axis.placeOf(store.last.peek()?.step.at ?? axis.timeAt(0))
  const isSeen = at >= view.from && at <= view.to
  const next = zoomed(axis, view, factor, isSeen ? (at - view.from) / (view.to - view.from) : 0.5)
  store.view.value = next.to - next.from >= all.to - all.from ? null : next
}

const toSearch = (store: Store) => {
  store.tab.value = "search"
  requestAnimationFrame(() => document.querySelector<HTMLInputElement>("[data-search]")?.select())
}

/** `/` searches, `[` and `]`, and `f` and `F` to failures, from anywhere but a field, the arrow keys where nothing else has them. */
const useTravelKeys = (store: Store) =>
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
      if (event.target instanceof HTMLElement && event.target.matches("input:not([type=range]), textarea, select"))
        return
      const at = store.moment.value
      // Elsewhere the arrows move in a list, or among the tabs.
      const isFree = event.target === document.body || (event.target as Element | null)?.id === "view"
      if (event.key === "[" || (isFree && event.key === "ArrowLeft")) store.travel(at - 1)
      else if (event.key === "]" || (isFree && event.key === "ArrowRight")) store.travel(at + 1)
      else if (event.key === "l") store.goLive()
      else if (event.key === "/") toSearch(store)
      else if (event.key === "f") goToFailure(store, "next")
      else if (event.key === "F") goToFailure(store, "previous")
      else if (event.key === "+" || event.key === "=") zoom(store, 0.7)
      else if (event.key === "-") zoom(store, 1.4)
      else return
      event.preventDefault()
    }
    addEventListener("keydown", press)
    return () => removeEventListener("keydown", press)
  }, [store])
