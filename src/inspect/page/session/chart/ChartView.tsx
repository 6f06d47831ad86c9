/**
 * The machine's chart, drawn: its state is lit, transitions that were taken are strong, those out of its state are named.
 *
 * Looks closer by wheel, by `+` and `-`, moves by dragging and by arrow keys; `0` shows all of it. The list beside it
 * says the same in words.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import type { Chart } from "../../../chart/read.ts"
import type { Count } from "../model/counts.ts"
import type { TakenWay } from "../model/takenWays.ts"
import { lineage } from "../model/value.ts"
import { Boxes } from "./Boxes.tsx"
import { lineHeight } from "./labels.ts"
import type { Drawn } from "./layout.ts"
import { pathData } from "./layout.ts"
import { sceneOf } from "./scene.ts"
import { usePanZoom } from "./usePanZoom.ts"

interface Props {
  readonly chart: Chart
  readonly drawn: Drawn
  readonly active: string
  readonly counts: ReadonlyMap<string, Count>
  readonly visits: ReadonlyMap<string, number>
  readonly last: ReadonlyArray<TakenWay>
  /** Another one each time: what was taken last is drawn anew. */
  readonly lastKey: string
  readonly selected: string | null
  readonly onSelect: (path: string | null) => void
  /** How long a delay is, in words; it does not change between two pictures without another `lastKey`. */
  readonly delays?: ((name: string) => string) | undefined
}

const none: ReadonlyArray<TakenWay> = []

export const ChartView = ({
  active,
  chart,
  counts,
  delays,
  drawn,
  last,
  lastKey,
  onSelect,
  selected,
  visits
}: Props) => {
  const [hovered, setHovered] = useState<string | null>(null)
  const [all, setAll] = useState(false)
  const container = useRef<HTMLDivElement>(null)
  const { fit, handlers, isMoving, view, zoom } = usePanZoom(container, drawn)
  const scene = useMemo(
    () => sceneOf({ chart, drawn, active, counts, last, selected, hovered, all, delays }),
    [chart, drawn, active, counts, last, selected, hovered, all]
  )
  // The first view is of its state; only later changes are animated.
  const first = useRef(lastKey)
  const moves = first.current === lastKey ? none : last
  useEffect(() => {
    if (selected === null) return
    const clear = (event: KeyboardEvent) => event.key === "Escape" && onSelect(null)
    addEventListener("keydown", clear)
    return () => removeEventListener("keydown", clear)
  }, [selected])

  return (
    <div
      ref={container}
      class={`chart${isMoving ? " moving" : ""}`}
      tabIndex={0}
      role="group"
      aria-label={`Chart of the machine; it stands in ${active}`}
      {...handlers}
    >
      <svg class="chart-svg" width="100%" height="100%" onClick={() => onSelect(null)}>
        <defs>
          {scene.lines.length === 0
            ? null
            : ["never", "taken", "awaited", "focus", "last"].map((tone) => (
                <marker
                  key={tone}
                  id={`head-${tone}`}
                  viewBox="0 0 8 8"
                  refX="7"
                  refY="4"
                  markerWidth="7"
                  markerHeight="7"
                  markerUnits="userSpaceOnUse"
                  orient="auto"
                  class={`line-${tone}`}
                >
                  <path d="M0 .8 7.2 4 0 7.2Z" />
                </marker>
              ))}
        </defs>
        <g transform={`translate(${view.x} ${view.y}) scale(${view.k})`}>
          <Boxes drawn={drawn} active={lineage(active)} only="compound" {...{ counts, visits, selected }} />
          {scene.lines.map(({ line, tone, width }) => (
            <path
              key={`${line.from} ${line.to}`}
              d={pathData(line.points)}
              class={`line line-${tone}`}
              stroke-width={width}
              marker-end={`url(#head-${tone})`}
            />
          ))}
          {moves.map(({ from, to }) => {
            const line = drawn.lines.find((each) => each.from === from && each.to === to)
            return line === undefined ? null : (
              <path key={`${lastKey} ${from} ${to}`} d={pathData(line.points)} class="line-moves" pathLength={1} />
            )
          })}
          <Boxes
            drawn={drawn}
            active={lineage(active)}
            only="leaf"
            {...{ counts, visits, selected }}
            onSelect={onSelect}
            onHover={setHovered}
          />
          {scene.labels.map(({ height, line, texts, tone, width, x, y }) => (
            <g key={`${line.from} ${line.to}`} class={`label label-${tone}`} transform={`translate(${x} ${y})`}>
              <rect width={width} height={height} rx={3} />
              {texts.map((text, n) => (
                <text key={text} x={5} y={lineHeight * (n + 1) - 1}>
                  {text}
                </text>
              ))}
            </g>
          ))}
        </g>
      </svg>
      <div class="chart-tools">
        <button type="button" class="icon-button" aria-pressed={all} onClick={() => setAll(!all)}>
          {all ? "fewer labels" : "all labels"}
        </button>
        <button type="button" class="icon-button" aria-label="Look closer" onClick={() => zoom(1.25)}>
          +
        </button>
        <button type="button" class="icon-button" aria-label="Look from further away" onClick={() => zoom(0.8)}>
          −
        </button>
        <button type="button" class="icon-button" onClick={fit}>
          fit
        </button>
      </div>
    </div>
  )
}
