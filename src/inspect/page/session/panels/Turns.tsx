/** The session's turns, a row each: how it ended, how long it took and waited, what it used. A press goes there. */
import { useEffect, useRef, useState } from "preact/hooks"
import { count, duration, fullTime, money, plural } from "../../../client/format.ts"
import { now } from "../../clock.ts"
import { sayProblem } from "../../store.ts"
import { useVirtual } from "../../ui/virtual.ts"
import { goToFailure, goToTurn } from "../goTo.ts"
import { outlineOf } from "../model/outline.ts"
import type { OutlineRow } from "../model/outline.ts"
import type { Store } from "../store.ts"

const rowHeight = 44
const pageSize = 200

export const Turns = ({ store }: { readonly store: Store }) => {
  const scroller = useRef<HTMLDivElement>(null)
  const rows = outlineOf({
    turns: store.turns.value,
    steps: store.steps.value,
    items: store.transcript.value,
    now: now.value
  })
  const list = useVirtual({ count: rows.length, rowHeight, scroller })
  useEffect(() => {
    if (rows.length > 0) list.scrollToIndex(rows.length - 1, { align: "end" })
  }, [rows.length === 0])
  const current = store.snapshot.value.context.turn
  return (
    <div class="turns">
      <div class="turns-bar">
        <Failures store={store} />
        <Older store={store} />
      </div>
      <div class="turns-list" ref={scroller} tabIndex={0} role="region" aria-label="Turns">
        {rows.length === 0 ? <p class="empty">No turn yet.</p> : null}
        <ol class="rows" style={{ height: `${list.getTotalSize()}px` }}>
          {list.getVirtualItems().map(({ index, start }) => {
            const row = rows[index]
            return row === undefined ? null : (
              <li
                key={row.turn.index}
                class={`row${!store.isLive.value && row.turn.index > current ? " later" : ""}`}
                style={{ transform: `translateY(${start}px)`, height: `${rowHeight}px` }}
              >
                <Row row={row} isCurrent={row.turn.index === current} onPress={() => goToTurn(store, row.turn.index)} />
              </li>
            )
          })}
        </ol>
      </div>
    </div>
  )
}

const seconds = (n: number): string => (n < 1 ? `${Math.round(n * 1_000)} ms` : duration(n))

const outcomeOf = ({ turn }: OutlineRow): string => {
  const words = turn.status.replace("_", " ")
  if (turn.failure !== null && turn.status !== "interrupted") return `${words}: ${turn.failure.class}`
  return turn.status === "completed" && turn.stop_reason !== null && turn.stop_reason !== "end_turn"
    ? `${words}: ${turn.stop_reason.replaceAll("_", " ")}`
    : words
}

const Row = ({
  isCurrent,
  onPress,
  row
}: {
  readonly row: OutlineRow
  readonly isCurrent: boolean
  readonly onPress: () => void
}) => {
  const { isFailed, tools, turn, waited, words } = row
  return (
    <button
      type="button"
      class={`turn-line${isFailed ? " failed" : ""}`}
      aria-current={isCurrent ? "true" : undefined}
      title={turn.failure?.message ?? fullTime(turn.submitted_at)}
      onClick={onPress}
    >
      <span class="turn-index">{turn.index}</span>
      <span class="turn-words">{words}</span>
      <span class={`turn-outcome${isFailed ? " bad" : ""}`}>{outcomeOf(row)}</span>
      <span class="turn-facts dim">
        <span>
          {seconds(row.seconds)}
          {waited >= 0.05 ? `, ${seconds(waited)} of it waiting` : ""}
        </span>
        {turn.total_tokens === 0 ? null : <span>{count(turn.total_tokens)} tokens</span>}
        {turn.cost === null ? null : <span>{money(turn.cost)}</span>}
        {tools.count === 0 ? null : (
          <span>
            {tools.kinds.length === 0
              ? plural(tools.count, "tool")
              : tools.kinds.map(([kind, n]) => `${n} × ${kind}`).join(", ")}
            {tools.failed === 0 ? null : <b class="bad">, {tools.failed} failed</b>}
          </span>
        )}
      </span>
    </button>
  )
}

const Failures = ({ store }: { readonly store: Store }) => {
  const all = store.failures.value
  const moment = store.moment.value
  const later = all.filter(({ count }) => count > moment).length
  const earlier = all.filter(({ count }) => count < moment).length
  return (
    <>
      <span class="dim">{all.length === 0 ? "Nothing has failed." : plural(all.length, "failure")}</span>
      <button type="button" class="button" disabled={earlier === 0} onClick={() => goToFailure(store, "previous")}>
        Previous failure
      </button>
      <button type="button" class="button" disabled={later === 0} onClick={() => goToFailure(store, "next")}>
        Next failure
      </button>
      <span class="faint turns-here" role="status">
        {all.find(({ count }) => count === moment)?.words ?? ""}
      </span>
    </>
  )
}

/** The server is asked for a page of them at a time. */
const Older = ({ store }: { readonly store: Store }) => {
  const [isAsking, setAsking] = useState(false)
  const { api } = store
  const first = store.turns.value[0]?.index ?? 1
  const held = store.olderTurns.value.at(-1)?.index
  const next = store.detail.value?.turns[0]?.index ?? 1

  const load = async (after: number, limit: number) => {
    if (api === null || limit < 1) return
    setAsking(true)
    try {
      const { turns } = await api.turns(after, limit)
      const known = new Map([...store.olderTurns.peek(), ...turns].map((turn) => [turn.index, turn]))
      store.olderTurns.value = [...known.values()].toSorted((a, b) => a.index - b.index)
    } catch (cause) {
      sayProblem(cause)
    }
    setAsking(false)
  }
  // The detail's last turns have moved on from those before them.
  useEffect(() => {
    if (held !== undefined && held + 1 < next) void load(held, Math.min(pageSize, next - held - 1))
  }, [held, next])

  if (api === null || first <= 1) return null
  const after = Math.max(0, first - 1 - pageSize)
  return (
    <button
      type="button"
      class="button turns-older"
      disabled={isAsking}
      onClick={() => void load(after, first - 1 - after)}
    >
      {plural(first - 1 - after, "earlier turn")}
    </button>
  )
}
