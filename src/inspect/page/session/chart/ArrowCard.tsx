/** What an arrow means, how often it was taken, and its last times, each a link to that moment. */
import { useEffect, useRef } from "preact/hooks"
import type { ChartArrow } from "../../../chart/read.ts"
import { clockTime, plural } from "../../../client/format.ts"
import { wordsOfEvent, wordsOfGuard } from "../../../client/machineWords.ts"
import { stateOf, substateWords } from "../../../client/tones.ts"
import { now } from "../../clock.ts"
import { wayKey } from "../model/counts.ts"
import type { Count } from "../model/counts.ts"
import type { Passage } from "../model/recent.ts"
import { keyOf } from "../model/takenWays.ts"
import type { Pointed } from "./usePointedArrow.ts"
import type { Size } from "./viewport.ts"

/** More causes of one arrow are in the State panel. */
const mostWays = 4
const mostArrows = 3
const width = 340

export interface Recent {
  readonly of: (from: string, to: string) => ReadonlyArray<Passage>
  /** `null`: there is no address of a moment, such as in an exported file. */
  readonly href: (passage: Passage) => string | null
  readonly go: (passage: Passage) => void
}

interface Props {
  readonly arrows: ReadonlyArray<ChartArrow>
  readonly counts: ReadonlyMap<string, Count>
  readonly pointed: Pointed
  readonly room: Size
  /** Of one session; absent: of many. */
  readonly recent?: Recent | undefined
  readonly onKeep: () => void
  readonly onLeave: () => void
  readonly onClose: () => void
}

export const ArrowCard = ({ arrows, counts, onClose, onKeep, onLeave, pointed, recent, room }: Props) => {
  const card = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (pointed.isPinned) card.current?.focus()
  }, [pointed.isPinned, pointed.keys.join()])
  const left = Math.max(6, Math.min(pointed.x + 10, room.width - width - 6))
  const isBelow = pointed.y < room.height / 2
  return (
    <div
      ref={card}
      class="arrow-card"
      role="dialog"
      aria-label="About this arrow"
      tabIndex={-1}
      style={{
        left: `${left}px`,
        width: `${Math.min(width, room.width - 12)}px`,
        "max-height": `${Math.max(120, isBelow ? room.height - pointed.y - 20 : pointed.y - 20)}px`,
        ...(isBelow ? { top: `${pointed.y + 12}px` } : { bottom: `${room.height - pointed.y + 12}px` })
      }}
      onPointerEnter={onKeep}
      onPointerLeave={onLeave}
      onPointerDown={(event) => event.stopPropagation()}
      onClick={(event) => event.stopPropagation()}
      onWheel={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        event.stopPropagation()
        if (event.key === "Escape") onClose()
      }}
    >
      {arrows.slice(0, mostArrows).map((arrow) => (
        <Arrow key={keyOf(arrow)} arrow={arrow} count={counts.get(keyOf(arrow))} recent={recent} />
      ))}
      {arrows.length > mostArrows ? <p class="faint">{arrows.length - mostArrows} more run here.</p> : null}
    </div>
  )
}

const Arrow = ({
  arrow,
  count,
  recent
}: {
  readonly arrow: ChartArrow
  readonly count: Count | undefined
  readonly recent: Recent | undefined
}) => {
  const timesOf = (way: ChartArrow["ways"][number]) => count?.ways.get(wayKey(way)) ?? 0
  const ways = arrow.ways.toSorted((a, b) => timesOf(b) - timesOf(a))
  const passages = recent?.of(arrow.from, arrow.to) ?? []
  return (
    <section>
      <h3>
        {stateWords(arrow.from)} → {stateWords(arrow.to)}
        <span class="faint">{count === undefined ? " never taken" : ` taken ${plural(count.all, "time")}`}</span>
      </h3>
      <ul>
        {ways.slice(0, mostWays).map((way) => (
          <li key={wayKey(way)}>
            <b title={way.event}>{wordsOfEvent(way.event)}</b>
            {way.guard === null ? null : <span class="faint">, if {wordsOfGuard(way.guard)}</span>}
            {timesOf(way) === 0 ? null : <span class="faint"> ×{timesOf(way)}</span>}
            <p>{way.description}</p>
          </li>
        ))}
      </ul>
      {ways.length > mostWays ? <p class="faint">{ways.length - mostWays} more causes lead there.</p> : null}
      {recent === undefined || passages.length === 0 ? null : (
        <p class="arrow-times">
          <span class="faint">{passages.length === 1 ? "Taken at" : "Last taken at"}</span>
          {passages.map((passage) => (
            <a
              key={passage.seq}
              href={recent.href(passage) ?? "#"}
              title={`step ${passage.seq}`}
              onClick={(event) => {
                if (event.ctrlKey || event.metaKey || event.shiftKey) return
                event.preventDefault()
                recent.go(passage)
              }}
            >
              {clockTime(passage.at, now.peek(), true)}
            </a>
          ))}
        </p>
      )}
    </section>
  )
}

const stateWords = (path: string): string => {
  const inner = substateWords(path)
  return inner === "" ? stateOf(path) : `${stateOf(path)} · ${inner}`
}
