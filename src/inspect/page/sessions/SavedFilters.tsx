/** Filters with names. They are kept in the reader's browser; a link has what it filters by in itself. */
import { useState } from "preact/hooks"
import type { SessionFilter } from "../../client/api.ts"
import { queryOf } from "../app/router.ts"
import { say } from "../store.ts"
import { Dropdown } from "../ui/Dropdown.tsx"
import { forgetFilter, longestFilterName, saveFilter, savedFilters } from "./kept.ts"

export const SavedFilters = ({ filter }: { readonly filter: SessionFilter }) => {
  const [name, setName] = useState("")
  const query = String(queryOf(filter))
  const saved = savedFilters.value
  const current = saved.find((one) => one.query === query)
  const save = (event: Event) => {
    event.preventDefault()
    const wanted = name.trim()
    if (wanted === "") return
    if (!saveFilter({ name: wanted, query })) return say("There are too many", "bad", "Forget one that is not needed.")
    setName("")
    say(`Saved as ${wanted}`)
  }
  return (
    <Dropdown name={<span class="saved-name">{current?.name ?? "Saved"} ▾</span>} label="Saved filters">
      {saved.length === 0 ? (
        <p class="faint">A filter and its order can be kept here under a name.</p>
      ) : (
        <ul class="saved-list">
          {saved.map((one) => (
            <li key={one.name}>
              <a
                href={`#/sessions${one.query === "" ? "" : `?${one.query}`}`}
                title={one.name}
                aria-current={one === current}
              >
                {one.name}
              </a>
              <button
                type="button"
                class="icon-button"
                aria-label={`Forget ${one.name}`}
                onClick={() => forgetFilter(one.name)}
              >
                ✕
              </button>
            </li>
          ))}
        </ul>
      )}
      <form class="saved-form" onSubmit={save}>
        <input
          class="field"
          aria-label="Name of the present filter"
          placeholder="Name of the present filter"
          maxLength={longestFilterName}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <button type="submit" class="button" disabled={name.trim() === ""}>
          Save
        </button>
      </form>
    </Dropdown>
  )
}
