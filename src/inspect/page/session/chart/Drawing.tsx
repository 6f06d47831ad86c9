/** The boxes, lines and words of a chart, as an SVG. */
import { useRef } from "preact/hooks"
import { pathData } from "../../../chart/drawn.ts"
import type { Drawn } from "../../../chart/drawn.ts"
import { lineHeight } from "../../../chart/labels.ts"
import type { Count } from "../model/counts.ts"
import type { TakenWay } from "../model/takenWays.ts"
import { keyOf } from "../model/takenWays.ts"
import { lineage } from "../model/value.ts"
import { Boxes } from "./Boxes.tsx"
import type { Scene } from "./scene.ts"
import type { PointedArrow } from "./usePointedArrow.ts"
import { textSize } from "./viewport.ts"
import type { Viewport } from "./viewport.ts"

interface Props {
  readonly active: string
  readonly counts: ReadonlyMap<string, Count>
  readonly drawn: Drawn
  readonly last: ReadonlyArray<TakenWay>
  readonly lastKey: string
  readonly scale: number
  readonly scene: Scene
  readonly selected: string | null
  readonly view: Viewport
  readonly visits: ReadonlyMap<string, number>
  readonly arrow: Pick<PointedArrow, "at" | "leave">
  readonly onHover: (path: string | null) => void
  readonly onSelect: (path: string | null) => void
}

const none: ReadonlyArray<TakenWay> = []
const tones = ["never", "taken", "awaited", "focus", "last"]

export const Drawing = (props: Props) => {
  const { active, arrow, counts, drawn, last, lastKey, onHover, onSelect, scale, scene, selected, view, visits } = props
  // The first view is of its state; only later changes are animated.
  const first = useRef(lastKey)
  const moves = first.current === lastKey ? none : last
  const shared = { drawn, active: lineage(active), counts, visits, selected, scale }
  return (
    <svg
      class="chart-svg"
      width="100%"
      height="100%"
      style={{ "font-size": `${textSize * scale}px` }}
      onClick={() => onSelect(null)}
    >
      <defs>{scene.lines.length === 0 ? null : tones.map((tone) => <Head key={tone} tone={tone} />)}</defs>
      <g transform={`translate(${view.x} ${view.y}) scale(${view.k})`}>
        <Boxes {...shared} only="compound" />
        {scene.lines.map(({ line, tone, width }) => (
          <path
            key={`${line.from} ${line.to}`}
            d={pathData(line.points)}
            class={`line line-${tone}`}
            stroke-width={width}
            marker-end={`url(#head-${tone})`}
          />
        ))}
        <Hits scene={scene} counts={counts} arrow={arrow} />
        {moves.map(({ from, to }) => {
          const line = drawn.lines.find((each) => each.from === from && each.to === to)
          return line === undefined ? null : (
            <path key={`${lastKey} ${from} ${to}`} d={pathData(line.points)} class="line-moves" pathLength={1} />
          )
        })}
        <Boxes {...shared} only="leaf" onSelect={onSelect} onHover={onHover} />
        {scene.labels.map(({ height, line, texts, tone, width, x, y }) => (
          <g key={`${line.from} ${line.to}`} class={`label label-${tone}`} transform={`translate(${x} ${y})`}>
            <rect width={width} height={height} rx={3} />
            {texts.map((text, n) => (
              <text key={text} x={5} y={(lineHeight * (n + 1) - 2) * scale}>
                {text}
              </text>
            ))}
          </g>
        ))}
      </g>
    </svg>
  )
}

/** Wider than the lines, so that they can be met. By keyboard one comes to those that say something now. */
const Hits = ({ arrow, counts, scene }: Pick<Props, "arrow" | "counts" | "scene">) => (
  <>
    {scene.lines.map(({ line, tone }) => {
      const key = keyOf(line)
      const isLoud = tone !== "never" && tone !== "taken"
      return (
        <path
          key={`hit ${key}`}
          class="line-hit"
          d={pathData(line.points)}
          data-arrow={key}
          {...(isLoud ? { tabIndex: 0, role: "button", "aria-label": spoken(line, counts.get(key)?.all ?? 0) } : {})}
          onPointerEnter={(event) => arrow.at(key, event, false)}
          onPointerLeave={arrow.leave}
          onFocus={(event) => arrow.at(key, event, false)}
          onBlur={arrow.leave}
          onClick={(event) => {
            event.stopPropagation()
            arrow.at(key, event, true)
          }}
          onKeyDown={(event) => {
            if (event.key !== "Enter" && event.key !== " ") return
            event.preventDefault()
            event.stopPropagation()
            arrow.at(key, event, true)
          }}
        />
      )
    })}
  </>
)

const spoken = ({ from, to }: { readonly from: string; readonly to: string }, times: number): string =>
  `Arrow from ${from} to ${to}, ${times === 0 ? "never taken" : `taken ${times} ${times === 1 ? "time" : "times"}`}`

const Head = ({ tone }: { readonly tone: string }) => (
  <marker
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
)
