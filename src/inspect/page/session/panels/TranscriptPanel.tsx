/**
 * The conversation: what was asked, said, thought and done, with the session's states as thin lines between.
 *
 * Follows its end while one reads there; in time travel the moment is scrolled to, and what came later is faint.
 */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks"
import { plural } from "../../../client/format.ts"
import { isToolRunning } from "../../../client/Transcript.ts"
import type { Item } from "../../../client/Transcript.ts"
import type { Turn } from "../../../sessionContract.ts"
import { isMarkdown } from "../reading.ts"
import type { Store } from "../store.ts"
import { lastAtOrBefore } from "../time/axis.ts"
import { Composer } from "./Composer.tsx"
import { Entry } from "./Entry.tsx"
import type { Resend } from "./Entry.tsx"
import { useMeasured } from "./useMeasured.ts"

/** Nearer to the beginning than this wants what came before. */
const earlierPixels = 1_500
const hasNotWorked = ({ status }: Turn): boolean =>
  status === "failed" || status === "timed_out" || status === "interrupted"

/** Nearer to the end than this is at the end. */
const endPixels = 60

export const TranscriptPanel = ({ store }: { readonly store: Store }) => {
  const scroller = useRef<HTMLDivElement>(null)
  const items = store.transcript.value
  const rows = useMeasured({
    count: items.length,
    guess: 44,
    keyOf: (index) => items[index]?.key ?? `${index}`,
    scroller
  })
  const isAtEnd = useRef(true)
  const lastTop = useRef(0)
  // Only who scrolls back leaves the end: rows that are measured move it away by themselves.
  const watch = () => {
    const element = scroller.current
    if (element === null) return
    const isNear = element.scrollHeight - element.scrollTop - element.clientHeight < endPixels
    if (isNear) isAtEnd.current = true
    else if (element.scrollTop < lastTop.current - 2) isAtEnd.current = false
    if (element.scrollTop < earlierPixels && !isAtEnd.current) void store.past.more()
    lastTop.current = element.scrollTop
  }
  const pinned = store.cursor.value
  const step = pinned === null ? undefined : store.steps.value[pinned - 1]?.step
  const until = pinned === null ? Infinity : (step?.at ?? 0)

  useLayoutEffect(() => {
    // Not by the virtualizer, which then looks where the end is in every frame, and has all laid out for it.
    const element = scroller.current
    if (pinned === null && isAtEnd.current && element !== null) element.scrollTop = element.scrollHeight
  }, [items, rows.getTotalSize()])
  // What came before is put in above: what is read stays where it is.
  const begins = items[0]?.key
  const before = useRef({ begins, size: 0 })
  useLayoutEffect(() => {
    const element = scroller.current
    const size = rows.getTotalSize()
    const isLonger = before.current.begins !== begins && size > before.current.size && before.current.size > 0
    if (element !== null && isLonger && !isAtEnd.current) element.scrollTop += size - before.current.size
    before.current = { begins, size }
  }, [begins, rows.getTotalSize()])
  useEffect(() => {
    if (pinned === null || store.spot.peek() !== null) return
    const last = lastAtOrBefore(
      items.map(({ at }) => at),
      until
    )
    rows.scrollToIndex(Math.max(0, last), { align: "center" })
  }, [pinned, begins])

  const spot = store.spot.value
  useEffect(() => {
    const index = spot === null ? -1 : items.findIndex(({ key }) => key === spot)
    if (index === -1) return
    isAtEnd.current = false
    rows.scrollToIndex(index, { align: "start" })
  }, [spot])

  const { api } = store
  const { session, turns } = store.detail.value ?? {}
  const forkOf = (item: Item) =>
    api !== null &&
    item.kind === "end" &&
    turns?.some(({ can_fork, index }) => can_fork && index === item.turn) === true
      ? api.fork
      : undefined
  const turnOf = (item: Item) => (item.kind === "end" ? turns?.find(({ index }) => index === item.turn) : undefined)
  const resendOf = (turn: Turn | undefined): Resend | undefined => {
    if (api === null || session === undefined || session.state === "closed") return undefined
    if (turn === undefined || turn.kind !== "prompt" || turn.repeated_as !== null || !hasNotWorked(turn))
      return undefined
    return { run: () => api.resend(turn.index), isUncertain: turn.failure?.class === "outcome_unknown" }
  }
  return (
    <div class="conversation">
      <Earlier store={store} />
      <div
        class="transcript"
        ref={scroller}
        onScroll={watch}
        tabIndex={0}
        role="log"
        aria-label="Transcript"
        aria-live="off"
      >
        {items.length > 0 ? null : (
          <p class="empty">{store.past.first.value === undefined ? "It is being fetched." : "Nothing was said yet."}</p>
        )}
        <div class="rows" style={{ height: `${rows.getTotalSize()}px` }}>
          {rows.getVirtualItems().map(({ index, key, start }) => {
            const item = items[index]
            return item === undefined ? null : (
              <div
                key={key}
                ref={(element) => rows.measureElement(element)}
                data-index={index}
                class={`row${item.at > until ? " later" : ""}${item.key === spot ? " spotted" : ""}${index === items.length - 1 ? " last" : ""}`}
                style={{ transform: `translateY(${start}px)` }}
              >
                <Entry
                  item={item}
                  fork={forkOf(item)}
                  runs={store.isLive.value && isToolRunning(item, turns ?? [])}
                  isSpot={item.key === spot}
                  resend={resendOf(turnOf(item))}
                  repeatedAs={turnOf(item)?.repeated_as ?? null}
                />
              </div>
            )
          })}
        </div>
      </div>
      <div class="transcript-foot">
        {api === null || session === undefined || session.state === "closed" ? (
          <span class="faint">Nothing more can be said to it.</span>
        ) : (
          <Composer store={store} api={api} />
        )}
        <label
          class="reading"
          title="Shows headings, lists, tables and links. Nothing is loaded, and no HTML is made of it."
        >
          <input
            type="checkbox"
            checked={isMarkdown.value}
            onChange={({ currentTarget }) => (isMarkdown.value = currentTarget.checked)}
          />
          Markdown
        </label>
      </div>
    </div>
  )
}

/** What is not here of the beginning. */
const Earlier = ({ store }: { readonly store: Store }) => {
  const { first, isComing, more, problem } = store.past
  const seq = first.value?.seq ?? 1
  if (store.api === null || seq === 1) return null
  return (
    <p class="earlier faint" role="status">
      {plural(seq - 1, "earlier event")} not here yet
      {problem.value === undefined ? "" : `: ${problem.value.detail}`}{" "}
      {isComing.value ? (
        "· being fetched"
      ) : (
        <button type="button" class="icon-button" onClick={() => void more()}>
          Fetch more
        </button>
      )}
    </p>
  )
}
