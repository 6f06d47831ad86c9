/** Which columns the list has; what an app stored with its sessions can be one, too. */
import { useState } from "preact/hooks"
import { Dropdown } from "../ui/Dropdown.tsx"
import { columns, columnsAtFirst, isChosen, metaColumn, metaKeyOf, possibleColumns, toggleColumn } from "./columns.tsx"
import { table } from "./feed.ts"

/** So many rows are looked at for names of their data. */
const rowsLookedAt = 500

const keysInRows = (order: ReadonlyArray<string>): ReadonlyArray<string> => {
  const keys = new Set<string>()
  for (const id of order.slice(0, rowsLookedAt))
    for (const key of Object.keys(table.row(id)?.peek().row.meta ?? {})) keys.add(key)
  return [...keys].toSorted()
}

export const ColumnChooser = () => {
  const [key, setKey] = useState("")
  const chosenKeys = columns.value.flatMap(({ id }) => metaKeyOf(id) ?? [])
  const keys = [...new Set([...chosenKeys, ...keysInRows(table.order.value)])]
  const add = (event: Event) => {
    event.preventDefault()
    const wanted = key.trim()
    if (wanted !== "" && !isChosen(metaColumn(wanted))) toggleColumn(metaColumn(wanted))
    setKey("")
  }
  return (
    <Dropdown name="Columns ▾" label="Columns">
      <fieldset class="column-list">
        <legend>Columns</legend>
        {possibleColumns.value.map(({ id, name }) => (
          <Box key={id} id={id} name={name} />
        ))}
      </fieldset>
      <fieldset class="column-list">
        <legend>Data of the app</legend>
        {keys.map((each) => (
          <Box key={each} id={metaColumn(each)} name={each} />
        ))}
        <form class="saved-form" onSubmit={add}>
          <input
            class="field"
            aria-label="Another name in meta"
            placeholder="Another name in meta"
            maxLength={40}
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
          <button type="submit" class="button" disabled={key.trim() === ""}>
            Add
          </button>
        </form>
      </fieldset>
      <button type="button" class="button" onClick={columnsAtFirst}>
        As at first
      </button>
    </Dropdown>
  )
}

const Box = ({ id, name }: { readonly id: string; readonly name: string }) => (
  <label class="column-box" title={name}>
    <input type="checkbox" checked={isChosen(id)} onChange={() => toggleColumn(id)} />
    <span>{name}</span>
  </label>
)
