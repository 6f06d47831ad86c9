/**
 * The table: only visible rows are rendered, and each is rendered again when its own session changes.
 *
 * One row has the keyboard's focus (roving tabindex); it stays in the document when it is scrolled away.
 */
import { useComputed, useSignal } from "@preact/signals"
import { useEffect, useLayoutEffect, useRef } from "preact/hooks"
import type { SessionFilter } from "../../client/api.ts"
import { plural } from "../../client/format.ts"
import { go } from "../app/location.ts"
import { useVirtual } from "../ui/virtual.ts"
import { gridStyle } from "./columns.tsx"
import { isLoading, letIn, loadMore, place, table } from "./feed.ts"
import { Head } from "./GridHead.tsx"
import type { ActiveRow } from "./feed.ts"
import { Row } from "./Row.tsx"
import { chooseNone, chooseRange, chosenIds, toggle } from "./selection.ts"

const narrow = matchMedia("(max-width: 720px)")
const headHeight = 32
/** The next page is asked for when so few rows are left. */
const ahead = 30
const topPixels = 8

export const Grid = ({ filter }: { readonly filter: SessionFilter }) => {
  const scroller = useRef<HTMLDivElement>(null)
  const isNarrow = useNarrow()
  const active = useSignal(place.active)
  const order = table.order.value
  const current = indexOf(order, active.value)
  // Who comes back from a session is at its row again.
  const wantsFocus = useRef(place.hasLeft)
  const rowHeight = isNarrow ? 82 : 36
  const virtual = useVirtual({
    count: order.length,
    rowHeight,
    scroller,
    above: isNarrow ? 0 : headHeight,
    keep: current
  })
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? 0

  useLayoutEffect(() => {
    if (scroller.current !== null) scroller.current.scrollTop = place.scrollTop
    place.hasLeft = false
    return () => {
      table.unpointed()
      place.hasLeft = scroller.current?.contains(document.activeElement) === true
    }
  }, [])
  useEffect(() => {
    if (last >= order.length - ahead) loadMore()
  }, [last, order.length, isLoading.value])
  useLayoutEffect(() => {
    if (!wantsFocus.current) return
    const row = scroller.current?.querySelector<HTMLElement>(`[data-index="${indexOf(order, active.peek())}"]`)
    if (row === null || row === undefined) return
    wantsFocus.current = false
    row.focus({ preventScroll: true })
  })

  const activate = (index: number) => {
    active.value = { index, id: order[index] }
    place.active = active.value
  }
  const moveTo = (index: number) => {
    const to = Math.max(0, Math.min(order.length - 1, index))
    wantsFocus.current = true
    activate(to)
    virtual.scrollToIndex(to, { align: "auto" })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const perPage = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 2)
    // Keys come faster than pictures.
    const at = indexOf(order, active.peek())
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      j: at + 1,
      ArrowUp: at - 1,
      k: at - 1,
      PageDown: at + perPage,
      PageUp: at - perPage,
      Home: 0,
      End: order.length - 1
    }
    const id = order[at]
    const to = moves[event.key]
    if (to !== undefined) {
      if (event.shiftKey && id !== undefined) {
        if (!chosenIds.peek().has(id)) toggle(id)
        const last = order[Math.max(0, Math.min(order.length - 1, to))]
        if (last !== undefined) chooseRange(last)
      }
      moveTo(to)
    } else if (event.target instanceof HTMLElement && event.target.closest("button, input") !== null) return
    else if (event.key === "Enter" && id !== undefined) go({ view: "session", id })
    else if ((event.key === " " || event.key === "x") && id !== undefined) toggle(id)
    else if (event.key === "Escape" && chosenIds.peek().size > 0) chooseNone()
    else return
    event.preventDefault()
  }

  return (
    <div class="grid-frame">
      <Waiting
        onLetIn={() => {
          letIn()
          if (scroller.current !== null) scroller.current.scrollTop = 0
        }}
      />
      <div
        ref={scroller}
        class="grid"
        style={gridStyle.value}
        role="grid"
        aria-label="Sessions"
        aria-multiselectable="true"
        aria-rowcount={table.count.value + 1}
        aria-busy={isLoading.value}
        onKeyDown={onKeyDown}
        onScroll={(event) => {
          place.scrollTop = event.currentTarget.scrollTop
          place.isAtTop = place.scrollTop <= topPixels
        }}
      >
        <Head filter={filter} />
        <div
          class="grid-body"
          role="rowgroup"
          style={{ height: `${virtual.getTotalSize()}px` }}
          onPointerEnter={(event) => {
            table.isPointed = event.pointerType === "mouse"
          }}
          onPointerLeave={() => table.unpointed()}
        >
          {items.map(({ index, start }) => {
            const id = order[index]
            const row = id === undefined ? undefined : table.row(id)
            return row === undefined ? null : (
              <Row
                key={id}
                live={row}
                index={index}
                top={start}
                isActive={index === current}
                onFocus={() => activate(index)}
              />
            )
          })}
        </div>
        <p class="grid-end">
          {table.cursor.value === null
            ? order.length > 20
              ? `All ${plural(order.length, "session")} shown`
              : ""
            : isLoading.value
              ? "Loading…"
              : ""}
        </p>
      </div>
    </div>
  )
}

/** Where the row is now: others may have come before it. */
const indexOf = (order: ReadonlyArray<string>, { id, index }: ActiveRow): number => {
  if (order[index] === id) return index
  const now = id === undefined ? -1 : order.indexOf(id)
  return now >= 0 ? now : Math.max(0, Math.min(index, order.length - 1))
}

const useNarrow = () => {
  const matches = useSignal(narrow.matches)
  useEffect(() => {
    const look = () => {
      matches.value = narrow.matches
    }
    narrow.addEventListener("change", look)
    return () => narrow.removeEventListener("change", look)
  }, [])
  return matches.value
}

const Waiting = ({ onLetIn }: { readonly onLetIn: () => void }) => {
  const words = useComputed(() => `${table.waiting.value.length} new`)
  return table.waiting.value.length === 0 ? null : (
    <button type="button" class="new-pill" onClick={onLetIn}>
      ↑ {words}
    </button>
  )
}
