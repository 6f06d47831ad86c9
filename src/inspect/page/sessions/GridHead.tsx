/** The heads of the columns; a press on one that can be sorted by sorts by it, a second one the other way around. */
import type { SessionFilter } from "../../client/api.ts"
import { replace } from "../app/location.ts"
import { columns } from "./columns.tsx"
import type { Column } from "./columns.tsx"
import { table } from "./feed.ts"
import { chooseLoaded, chooseNone, chosenCount } from "./selection.ts"

export const Head = ({ filter }: { readonly filter: SessionFilter }) => (
  <div class="grid-head" role="rowgroup">
    <div class="grid-line" role="row" aria-rowindex={1}>
      <span role="columnheader" class="cell-box">
        <input
          type="checkbox"
          aria-label="Choose all that are loaded"
          checked={chosenCount.value > 0 && table.order.value.length > 0}
          ref={(box) => {
            if (box !== null) box.indeterminate = chosenCount.value > 0 && chosenCount.value < table.order.value.length
          }}
          onClick={() => (chosenCount.peek() > 0 ? chooseNone() : chooseLoaded())}
        />
      </span>
      <span role="columnheader" class="head-name">
        Session
      </span>
      {columns.value.map((column) => (
        <ColumnHead key={column.id} column={column} filter={filter} />
      ))}
    </div>
  </div>
)

const ColumnHead = ({ column, filter }: { readonly column: Column; readonly filter: SessionFilter }) => {
  const { id, isNumber, meaning, name, sort } = column
  const isSorted = sort !== undefined && filter.sort === sort
  const isDescending = filter.order === "desc"
  return (
    <span
      role="columnheader"
      class={`head-${id.startsWith("meta:") ? "meta" : id}${isNumber === true ? " number" : ""}`}
      title={meaning}
      aria-sort={isSorted ? (isDescending ? "descending" : "ascending") : undefined}
    >
      {sort === undefined ? (
        name
      ) : (
        <button
          type="button"
          class="sort"
          title={`${meaning ?? name}. ${isSorted ? "Press to sort the other way around" : "Press to sort by it"}`}
          onClick={() =>
            replace({
              view: "sessions",
              filter: { ...filter, sort, order: isSorted && isDescending ? "asc" : "desc" }
            })
          }
        >
          {name}
          <i aria-hidden="true">{isSorted ? (isDescending ? "↓" : "↑") : ""}</i>
        </button>
      )}
    </span>
  )
}
