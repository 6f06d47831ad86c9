/** One session as a line; on a narrow screen, as a card of three. */
import type { Signal } from "@preact/signals"
import { hashOfSession } from "../app/router.ts"
import type { LiveRow } from "./table.ts"
import { columns } from "./columns.tsx"
import { chooseRange, chosenIds, toggle } from "./selection.ts"

interface Props {
  readonly live: Signal<LiveRow>
  readonly index: number
  readonly top: number
  readonly isActive: boolean
  readonly onFocus: () => void
}

const flashMillis = 900

/** A row that is rendered again because it was scrolled to has not changed. */
const flashOf = (changedAt: number): string =>
  changedAt > 0 && performance.now() - changedAt < flashMillis ? ` flash-${Math.round(changedAt) % 2}` : ""

/** Who comes to it by keyboard has no pointer to see the title by: what is cut off is then shown as a whole. */
const markCut = (row: HTMLElement) => {
  const reason = row.querySelector(".reason")
  reason?.classList.toggle("is-cut", reason.scrollHeight > reason.clientHeight)
}

export const Row = ({ index, isActive, live, onFocus, top }: Props) => {
  const { changedAt, hasLeft, row } = live.value
  const href = hashOfSession(row.session_id)
  const isChosen = chosenIds.value.has(row.session_id)
  return (
    <div
      class={`grid-line grid-row${flashOf(changedAt)}${hasLeft ? " has-left" : ""}${isChosen ? " is-chosen" : ""}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isChosen}
      tabIndex={isActive ? 0 : -1}
      data-index={index}
      data-session={row.session_id}
      style={{ transform: `translateY(${top}px)` }}
      title={hasLeft ? "It is no longer of this list" : undefined}
      onFocus={({ currentTarget }) => {
        markCut(currentTarget)
        onFocus()
      }}
      onClick={(event) => {
        // Text that is being selected is not a press; a link and a box do their own.
        const isOwn = event.target instanceof Element && event.target.closest("a, .cell-box") !== null
        if (!isOwn && getSelection()?.isCollapsed !== false) location.hash = href
      }}
    >
      <span role="gridcell" class="cell-box">
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={`Choose ${row.name}`}
          checked={isChosen}
          // A range is chosen by the press, and not by the change that it makes.
          onClick={(event) => {
            const box = event.currentTarget
            if (event.shiftKey) chooseRange(row.session_id)
            else toggle(row.session_id)
            // The browser has turned it around, whatever was chosen.
            queueMicrotask(() => {
              box.checked = chosenIds.peek().has(row.session_id)
            })
          }}
        />
      </span>
      <span role="gridcell" class="cell-name">
        <a
          href={href}
          class={row.name === row.session_id ? "mono" : ""}
          tabIndex={-1}
          title={`${row.name}\n${row.session_id}`}
        >
          {row.name}
        </a>
      </span>
      {columns.value.map(({ cell, id, isNumber, title }) => (
        <span
          key={id}
          role="gridcell"
          class={`cell-${id.startsWith("meta:") ? "meta" : id}${isNumber === true ? " number" : ""}`}
          title={title?.(row)}
        >
          {cell(row)}
        </span>
      ))}
    </div>
  )
}
