/** A state's ways out, with how often each was taken and which wait; what the machine remembers, and what a step changed. */
import { wordsOfEvent, wordsOfGuard, wordsOfStored } from "../../../client/machineWords.ts"
import type { Detail } from "../../../sessionContract.ts"
import { now } from "../../clock.ts"
import { clockTime } from "../../../client/format.ts"
import { toneOf } from "../../../client/tones.ts"
import { Sign } from "../../ui/State.tsx"
import { Countdown } from "../../ui/Time.tsx"
import { stateAt, waysFrom } from "../chart/scene.ts"
import type { ListedWay } from "../chart/scene.ts"
import { delayMillis, delayWords } from "../model/delays.ts"
import { timerName } from "../model/timers.ts"
import { changes } from "../model/value.ts"
import type { Store } from "../store.ts"

interface Props {
  readonly store: Store
  readonly detail: Detail
}

export const StatePanel = ({ detail, store }: Props) => {
  const path = store.selected.value ?? store.active.value
  const ways = waysFrom(store.chart, path, store.counts.value)
  return (
    <div class="state-panel" tabIndex={0} role="region" aria-label="State">
      <h2 class={`tone-${toneOf(path)}`}>
        <Sign tone={toneOf(path)} /> {path}
        {path === store.active.value ? <span class="faint"> it stands here</span> : null}
        {store.selected.value === null ? null : (
          <button type="button" class="icon-button" onClick={() => (store.selected.value = null)}>
            back to {store.active.value}
          </button>
        )}
      </h2>
      <p>{stateAt(store.chart, path)?.description}</p>
      <table class="ways">
        <thead>
          <tr>
            <th scope="col">when</th>
            <th scope="col">if</th>
            <th scope="col">goes to</th>
            <th scope="col" class="number">
              taken
            </th>
          </tr>
        </thead>
        <tbody>
          {ways.map((way) => (
            <Way key={`${way.from} ${way.to} ${way.event} ${way.guard}`} way={way} store={store} detail={detail} />
          ))}
        </tbody>
      </table>
      {ways.length === 0 ? <p class="dim">Nothing leads out of it.</p> : null}
      <Refused refused={detail.refused} />
      <Context store={store} />
    </div>
  )
}

const Way = ({ detail, store, way }: Props & { readonly way: ListedWay }) => {
  const lately = store.last.value?.taken.some(
    ({ event, from, guard, to }) => from === way.from && to === way.to && event === way.event && guard === way.guard
  )
  return (
    <tr class={`${way.count === 0 ? "never" : ""}${lately === true ? " lately" : ""}`}>
      <td>
        <span title={way.event}>{wordsOfEvent(way.event)}</span>
        <Delay way={way} store={store} detail={detail} />
        <p class="way-sentence">{way.description}</p>
      </td>
      <td class="dim" title={way.guard ?? ""}>
        {way.guard === null ? "" : wordsOfGuard(way.guard)}
      </td>
      <td>{way.to === way.from ? <span class="dim">stays</span> : way.to}</td>
      <td class="number">{way.count === 0 ? "never" : way.count}</td>
    </tr>
  )
}

/** How long it is, and where it runs, how long still. */
const Delay = ({ detail, store, way }: Props & { readonly way: ListedWay }) => {
  if (!way.event.startsWith("after ")) return null
  const words = delayWords(delayMillis(store.machine, way.event.slice(6), store.snapshot.value))
  const armed = store.isLive.value
    ? detail.timers.find(({ event, timer }) => timerName(event) === way.event || timerName(timer) === way.event)
    : undefined
  return (
    <span class="dim">
      {words === "" ? "" : ` ${words}`}
      {armed === undefined ? null : (
        <>
          {" "}
          · <Countdown at={armed.due_at} />
        </>
      )}
    </span>
  )
}

const Refused = ({ refused }: Pick<Detail, "refused">) =>
  refused.length === 0 ? null : (
    <>
      <h2>Refused</h2>
      <ul class="refused">
        {refused.map(({ at, event, state }) => (
          <li key={`${at} ${event}`}>
            <time>{clockTime(at, now.peek())}</time> <span title={event}>{wordsOfStored(event)}</span>{" "}
            <span class="dim">in {state}</span>
          </li>
        ))}
      </ul>
    </>
  )

/** The context at the moment, with what the step before it was. */
const Context = ({ store }: { readonly store: Store }) => {
  const count = Math.min(store.moment.value, store.steps.value.length)
  const context = store.snapshot.value.context
  const before = count === 0 ? context : store.at(count - 1).context
  const changed = new Map(changes(before, context).map((change) => [change.path, change] as const))
  return (
    <>
      <h2>
        Context <span class="faint">after step {store.last.value?.step.seq ?? 0}</span>
      </h2>
      <dl class="context">
        {leaves(context).map(([path, value]) => {
          const change = changed.get(path)
          return (
            <div key={path} class={change === undefined ? "" : "changed"}>
              <dt>{path}</dt>
              <dd>
                {change === undefined ? null : <del>{shown(change.before)}</del>} <span>{shown(value)}</span>
              </dd>
            </div>
          )
        })}
      </dl>
    </>
  )
}

const leaves = (value: object, path = ""): ReadonlyArray<readonly [string, unknown]> =>
  Object.entries(value).flatMap(([key, each]: [string, unknown]) => {
    const at = path === "" ? key : `${path}.${key}`
    return typeof each === "object" && each !== null && !Array.isArray(each) ? leaves(each, at) : [[at, each] as const]
  })

const shown = (value: unknown): string => (value === undefined ? "nothing" : JSON.stringify(value))
