/** Search and filters; the server carries them out. */
import { useEffect, useRef, useState } from "preact/hooks"
import type { SessionFilter } from "../../client/api.ts"
import { replace } from "../app/location.ts"
import { isByActivity, isFiltered, noFilter, outcomes } from "../../client/rows.ts"
import { plural } from "../../client/format.ts"
import { isAdmin, thisNode } from "../store.ts"
import { ColumnChooser } from "./ColumnChooser.tsx"
import { isLoading, reload, table } from "./feed.ts"
import { SavedFilters } from "./SavedFilters.tsx"

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
  const isNarrow = isFiltered(filter)
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
      <Choice
        name="last turn"
        all="Any last turn"
        names={outcomes}
        value={filter.outcome}
        onPick={(outcome) => set({ outcome: outcome as SessionFilter["outcome"] })}
      />
      <MetaFilter filter={filter} onPick={(meta) => set({ meta })} />
      <SortChoice filter={filter} onPick={set} />
      {isNarrow ? (
        <button
          type="button"
          class="button"
          onClick={() => replace({ view: "sessions", filter: { ...noFilter, sort: filter.sort, order: filter.order } })}
        >
          Clear
        </button>
      ) : null}
      <SavedFilters filter={filter} />
      <ColumnChooser />
      {table.isStale.value && !isByActivity(filter) ? (
        <button type="button" class="button" title="Rows have changed since the list was sorted" onClick={reload}>
          Sort again
        </button>
      ) : null}
      <span class="tools-count" aria-busy={isLoading.value}>
        {isLoading.value && table.cursor.value === undefined ? (
          "Loading…"
        ) : isNarrow ? (
          <span>{plural(table.count.value, "match", "matches")}</span>
        ) : null}
        {table.isBounded.value ? (
          <span
            class="faint"
            title="The 10 000 open and the 10 000 closed sessions that were active last are looked at for this filter and order; there are more."
          >
            {" "}
            of the last active
          </span>
        ) : null}
      </span>
      <a class="button primary" href="#/new" aria-keyshortcuts="n">
        New session
      </a>
    </div>
  )
}

/** On a narrow screen the columns have no heads to press. */
const SortChoice = ({
  filter,
  onPick
}: {
  readonly filter: SessionFilter
  readonly onPick: (order: Sorting) => void
}) => (
  <select
    class="select sort-choice"
    aria-label="Sort by"
    value={`${filter.sort} ${filter.order}`}
    onChange={(event) => {
      const chosen = sortings.find(({ order, sort }) => `${sort} ${order}` === event.currentTarget.value)
      if (chosen !== undefined) onPick({ sort: chosen.sort, order: chosen.order })
    }}
  >
    {sortings.map(({ name, order, sort }) => (
      <option key={name} value={`${sort} ${order}`}>
        {name}
      </option>
    ))}
  </select>
)

type Sorting = Pick<SessionFilter, "order" | "sort">

const sortings: ReadonlyArray<Sorting & { readonly name: string }> = [
  { name: "Last heard first", sort: "activity", order: "desc" },
  { name: "Longest silent first", sort: "activity", order: "asc" },
  { name: "Longest in its state first", sort: "state", order: "desc" },
  { name: "Shortest in its state first", sort: "state", order: "asc" },
  { name: "Last ended turn first", sort: "outcome", order: "desc" },
  { name: "Oldest ended turn first", sort: "outcome", order: "asc" },
  { name: "Most turns first", sort: "turns", order: "desc" },
  { name: "Fewest turns first", sort: "turns", order: "asc" },
  { name: "Dearest first", sort: "cost", order: "desc" },
  { name: "Cheapest first", sort: "cost", order: "asc" },
  { name: "Newest first", sort: "created", order: "desc" },
  { name: "Oldest first", sort: "created", order: "asc" }
]

interface MetaProps {
  readonly filter: SessionFilter
  readonly onPick: (meta: string | null) => void
}

/** A name and a value that an app stored with its sessions. */
const MetaFilter = ({ filter, onPick }: MetaProps) => {
  const [text, setText] = useState(filter.meta ?? "")
  useEffect(() => setText(filter.meta ?? ""), [filter.meta])
  const take = () => {
    const wanted = text.trim()
    if (wanted === "") onPick(null)
    else if (wanted.indexOf("=") > 0) onPick(wanted)
  }
  return (
    <input
      class="field meta-filter"
      aria-label="Filter by data of the app, as name=value"
      placeholder="meta: name=value"
      title="Sessions whose meta has this value. Enter"
      autocomplete="off"
      spellcheck={false}
      maxLength={200}
      value={text}
      aria-invalid={text.trim() !== "" && text.indexOf("=") <= 0}
      onInput={(event) => setText(event.currentTarget.value)}
      onBlur={take}
      onKeyDown={(event) => event.key === "Enter" && take()}
    />
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
