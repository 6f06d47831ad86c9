/** Search and filters; the server carries them out. */
import { useEffect, useRef, useState } from "preact/hooks"
import type { SessionFilter } from "../../client/api.ts"
import { replace } from "../app/location.ts"
import { noFilter } from "../../client/rows.ts"
import { plural } from "../../client/format.ts"
import { isAdmin, thisNode } from "../store.ts"
import { isLoading, table } from "./feed.ts"

/** A search is not sent at each letter that is typed. */
const searchAfterMillis = 200

export const Tools = ({ filter }: { readonly filter: SessionFilter }) => {
  const [text, setText] = useState(filter.q)
  const latest = useRef(filter)
  latest.current = filter
  // The address may change by itself: back, or a press elsewhere.
  useEffect(() => setText(filter.q), [filter.q])
  useEffect(() => {
    if (text.trim() === filter.q) return
    const timer = setTimeout(
      () => replace({ view: "sessions", filter: { ...latest.current, q: text.trim() } }),
      searchAfterMillis
    )
    return () => clearTimeout(timer)
  }, [text])

  const set = (change: Partial<SessionFilter>) => replace({ view: "sessions", filter: { ...filter, ...change } })
  const { agent, app, node, q, state } = filter
  const isFiltered = q !== "" || [state, agent, app, node].some((wanted) => wanted !== null)
  return (
    <div class="tools" role="search">
      <div class="search">
        <input
          class="field"
          type="search"
          placeholder="Search sessions"
          aria-label="Search sessions"
          aria-keyshortcuts="/"
          autocomplete="off"
          spellcheck={false}
          maxLength={200}
          data-search
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape" && text !== "") setText("")
            else if (event.key === "Escape") event.currentTarget.blur()
            else if (event.key === "ArrowDown" || event.key === "Enter") {
              event.preventDefault()
              document.querySelector<HTMLElement>(".grid-row[tabindex='0']")?.focus()
            }
          }}
        />
        <kbd aria-hidden="true">/</kbd>
      </div>
      <Choice
        name="agent"
        all="All agents"
        names={table.agents.value}
        value={filter.agent}
        onPick={(agent) => set({ agent })}
      />
      {isAdmin.value ? (
        <Choice name="app" all="All apps" names={table.apps.value} value={filter.app} onPick={(app) => set({ app })} />
      ) : null}
      {thisNode.value === null && filter.node === null ? null : (
        <Choice
          name="node"
          all="All nodes"
          names={table.nodes.value}
          value={filter.node}
          onPick={(node) => set({ node })}
        />
      )}
      {isFiltered ? (
        <button type="button" class="button" onClick={() => replace({ view: "sessions", filter: noFilter })}>
          Clear
        </button>
      ) : null}
      <span class="tools-count" aria-busy={isLoading.value}>
        {isLoading.value && table.cursor.value === undefined
          ? "Loading…"
          : isFiltered
            ? `${plural(table.count.value, "match", "matches")}`
            : ""}
      </span>
      <a class="button primary" href="#/new" aria-keyshortcuts="n">
        New session
      </a>
    </div>
  )
}

interface ChoiceProps {
  readonly name: string
  readonly all: string
  readonly names: ReadonlyArray<string>
  readonly value: string | null
  readonly onPick: (name: string | null) => void
}

const Choice = ({ all, name, names, onPick, value }: ChoiceProps) => (
  <select
    class="select"
    aria-label={`Filter by ${name}`}
    value={value ?? ""}
    onChange={(event) => onPick(event.currentTarget.value === "" ? null : event.currentTarget.value)}
  >
    <option value="">{all}</option>
    {(value === null || names.includes(value) ? names : [value, ...names]).map((each) => (
      <option key={each} value={each}>
        {each}
      </option>
    ))}
  </select>
)
