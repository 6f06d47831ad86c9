/**
 * The address of what is shown of a session, `#/sessions/ID/steps/16?tab=state`: an address that is opened leads there, and
 * while one travels it follows, without a history of every step.
 */
import { effect, signal } from "@preact/signals"
import { replace, route } from "../app/location.ts"
import { hashOfSession } from "../app/router.ts"
import type { Place } from "../app/router.ts"
import { say } from "../store.ts"
import { goToEvent, goToStep } from "./goTo.ts"
import type { Store } from "./store.ts"
import { firstTab, isTab } from "./tabs.ts"

type Moment = NonNullable<Place["moment"]>

/** Browsers refuse an address that changes with every step of a slider. */
const writeAfterMillis = 200

export const placeOf = (store: Store): Place => {
  const tab = store.tab.value
  const part = tab === firstTab ? {} : { tab }
  const count = store.cursor.value
  if (count === null) return part
  const seq = count === 0 ? 0 : store.steps.value[count - 1]?.step.seq
  if (seq === undefined) return part
  const event = Number.parseInt(store.spot.value ?? "", 10)
  const moment: Moment = Number.isNaN(event) ? { of: "steps", seq } : { of: "events", seq: event }
  return { moment, ...part }
}

/** The moment that is shown, also where it is now: what is sent to somebody shall be what one sees. */
export const linkTo = (store: Store, id: string): string => {
  const place = placeOf(store)
  const seq = store.last.value?.step.seq ?? 0
  const hash = hashOfSession(id, { moment: { of: "steps", seq }, ...place })
  return `${location.origin}${location.pathname}${hash}`
}

/** Until it is left. */
export const keepAddress = (store: Store, id: string): (() => void) => {
  /** What the address asks for, and has not come yet. */
  const wanted = signal<Moment | null>(null)
  let written: string | undefined
  let writing: ReturnType<typeof setTimeout> | undefined

  const missing = (what: string, last: number) => {
    wanted.value = null
    store.goLive()
    const has = last === 0 ? "none yet" : `1 to ${last}`
    say(`There is no ${what}`, "bad", `This session has ${has}. What you see is now.`)
  }

  const ends = [
    effect(() => {
      const at = route.value
      if (at.view !== "session" || at.id !== id || hashOfSession(id, at.place) === written) return
      written = undefined
      const { moment, tab } = at.place ?? {}
      if (tab !== undefined && !isTab(tab)) say(`A session has no part ${tab}`, "bad", "Its transcript is shown.")
      store.tab.value = tab !== undefined && isTab(tab) ? tab : firstTab
      wanted.value = moment ?? null
      if (moment === undefined) store.goLive()
    }),
    effect(() => {
      const moment = wanted.value
      const detail = store.detail.value
      // Read before anything else: when more of it comes, this is asked again.
      const [steps, , phase, first] = [
        store.steps.value,
        store.transcript.value,
        store.phase.value,
        store.past.first.value
      ]
      if (moment === null || detail === undefined) return
      const { of, seq } = moment
      const last = of === "steps" ? detail.last_step : detail.last_event
      if (seq === null) return missing(`such ${of === "steps" ? "step" : "event"}`, last)
      const here = store.lastIds()
      const isComplete =
        first !== undefined &&
        phase.name === "live" &&
        here.step >= detail.last_step &&
        here.event >= detail.last_event &&
        steps.length > 0
      if (of === "events" && isComplete && first !== null && first !== undefined && seq < first.seq)
        return void store.past.more()
      // The moment of an event is told by the steps.
      const isThere = of === "steps" ? goToStep(store, seq) : isComplete && goToEvent(store, seq)
      if (isThere) wanted.value = null
      else if (isComplete || (seq > last && phase.name === "live")) missing(`${of.slice(0, -1)} ${seq}`, last)
    }),
    effect(() => {
      if (wanted.value !== null || store.detail.value === undefined) return
      const place = placeOf(store)
      clearTimeout(writing)
      writing = setTimeout(() => {
        const at = route.peek()
        const hash = hashOfSession(id, place)
        if (at.view !== "session" || at.id !== id || location.hash === hash) return
        written = hash
        replace({ view: "session", id, place })
      }, writeAfterMillis)
    })
  ]
  return () => {
    clearTimeout(writing)
    for (const end of ends) end()
  }
}
