/** What is known of a session, one part at a time. */
import { useRef } from "preact/hooks"
import type { Detail } from "../../../sessionContract.ts"
import type { Store } from "../store.ts"
import type { TabId } from "../tabs.ts"
import { Approvals } from "./Approvals.tsx"
import { Budget } from "./Budget.tsx"
import { Compare } from "./Compare.tsx"
import { Costs } from "./Costs.tsx"
import { Processes } from "./Processes.tsx"
import { Search } from "./Search.tsx"
import { StatePanel } from "./StatePanel.tsx"
import { Steps } from "./Steps.tsx"
import { TranscriptPanel } from "./TranscriptPanel.tsx"
import { Turns } from "./Turns.tsx"
import { WhatIf } from "./WhatIf.tsx"

interface Props {
  readonly store: Store
  readonly detail: Detail
}

interface Tab {
  readonly id: TabId
  readonly name: string
  readonly badge?: number
  readonly isUrgent?: boolean
}

const tabsOf = ({ detail, store }: Props): ReadonlyArray<Tab> => {
  const pending = detail.approvals.filter(({ status }) => status === "pending").length
  const drifts = store.drifts.value.length + (store.drift.value.length > 0 ? 1 : 0)
  return [
    { id: "transcript", name: "Transcript" },
    { id: "turns", name: "Turns" },
    { id: "search", name: "Search" },
    { id: "steps", name: "Steps", badge: drifts, isUrgent: true },
    { id: "state", name: "State", badge: detail.refused.length },
    { id: "approvals", name: "Approvals", badge: pending, isUrgent: true },
    { id: "process", name: "Process" },
    { id: "budget", name: "Restarts", badge: store.isLive.value ? detail.budget.deaths.length : 0 },
    { id: "costs", name: "Time & tokens" },
    { id: "what-if", name: "What if" },
    { id: "compare", name: "Compare" }
  ]
}

export const Panels = ({ detail, store }: Props) => {
  const list = useRef<HTMLDivElement>(null)
  const tabs = tabsOf({ detail, store })
  const current = store.tab.value
  const move = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0
    if (by === 0) return
    event.preventDefault()
    const at = tabs.findIndex(({ id }) => id === current)
    const next = tabs[(at + by + tabs.length) % tabs.length]
    if (next === undefined) return
    store.tab.value = next.id
    list.current?.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus()
  }
  return (
    <>
      <div class="tabs" role="tablist" aria-label="Parts of the session" ref={list} onKeyDown={move}>
        {tabs.map(({ badge = 0, id, isUrgent = false, name }) => (
          <button
            key={id}
            id={`tab-${id}`}
            type="button"
            role="tab"
            aria-selected={id === current}
            aria-controls="session-panel"
            tabIndex={id === current ? 0 : -1}
            onClick={() => (store.tab.value = id)}
          >
            {name}
            {badge === 0 ? null : <span class={`tab-badge${isUrgent ? " urgent" : ""}`}>{badge}</span>}
          </button>
        ))}
      </div>
      <div id="session-panel" class="panel-body" role="tabpanel" aria-labelledby={`tab-${current}`} key={current}>
        <Shown id={current} detail={detail} store={store} />
      </div>
    </>
  )
}

const Shown = ({ detail, id, store }: Props & { readonly id: string }) => {
  switch (id) {
    case "turns":
      return <Turns store={store} />
    case "search":
      return <Search store={store} />
    case "steps":
      return <Steps store={store} />
    case "state":
      return <StatePanel store={store} detail={detail} />
    case "approvals":
      return <Approvals store={store} detail={detail} />
    case "process":
      return <Processes store={store} detail={detail} />
    case "budget":
      return <Budget store={store} detail={detail} />
    case "compare":
      return <Compare store={store} />
    case "what-if":
      return <WhatIf store={store} />
    case "costs":
      return <Costs store={store} detail={detail} />
    default:
      return <TranscriptPanel store={store} />
  }
}
