/** The states of a drawn chart: frames for those that have others inside, boxes that can be pressed for the rest. */
import { toneOf } from "../../../client/tones.ts"
import type { Count } from "../model/counts.ts"
import type { Box, Drawn } from "./layout.ts"
import { loopsOf } from "./scene.ts"

interface Props {
  readonly drawn: Drawn
  readonly active: ReadonlyArray<string>
  readonly only: "compound" | "leaf"
  readonly counts: ReadonlyMap<string, Count>
  readonly visits: ReadonlyMap<string, number>
  readonly selected: string | null
  readonly onSelect?: (path: string | null) => void
  readonly onHover?: (path: string | null) => void
}

export const Boxes = ({ drawn, only, ...rest }: Props) => (
  <>
    {drawn.boxes
      .filter(({ kind }) => (kind === "compound") === (only === "compound"))
      .map((box) =>
        only === "compound" ? <Frame key={box.path} box={box} {...rest} /> : <Leaf key={box.path} box={box} {...rest} />
      )}
  </>
)

type Each = Omit<Props, "drawn" | "only"> & { readonly box: Box }

const classOf = ({ active, box, selected, visits }: Each, kind: string): string =>
  [
    kind,
    `tone-${toneOf(box.path)}`,
    active.includes(box.path) ? "active" : "",
    selected === box.path ? "selected" : "",
    kind === "state" && !visits.has(box.path) ? "never" : ""
  ]
    .filter((name) => name !== "")
    .join(" ")

const Frame = (props: Each) => {
  const { height, key, width, x, y } = props.box
  return (
    <g class={classOf(props, "frame")} transform={`translate(${x} ${y})`}>
      <rect width={width} height={height} rx={9} />
      <text x={14} y={21}>
        {key}
      </text>
    </g>
  )
}

const Leaf = (props: Each) => {
  const { box, counts, onHover, onSelect, selected, visits } = props
  const times = visits.get(box.path) ?? 0
  const loops = loopsOf(box, counts)
  const isActive = props.active.includes(box.path)
  const press = (event: Event) => {
    event.stopPropagation()
    onSelect?.(selected === box.path ? null : box.path)
  }
  return (
    <g class={classOf(props, "state")} transform={`translate(${box.x} ${box.y})`}>
      <g
        role="button"
        tabIndex={0}
        aria-pressed={selected === box.path}
        aria-label={`${box.path}${isActive ? ", it stands here" : ""}, entered ${times} ${times === 1 ? "time" : "times"}`}
        onClick={press}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== " ") return
          event.preventDefault()
          press(event)
        }}
        onPointerEnter={() => onHover?.(box.path)}
        onPointerLeave={() => onHover?.(null)}
        onFocus={() => onHover?.(box.path)}
        onBlur={() => onHover?.(null)}
      >
        <rect width={box.width} height={box.height} rx={box.kind === "final" ? 3 : 7} />
        {box.kind === "final" ? (
          <rect class="inner" x={3} y={3} width={box.width - 6} height={box.height - 6} rx={2} />
        ) : null}
        <text x={box.initial ? 17 : 11} y={box.height / 2 + 4.5}>
          {box.key}
        </text>
      </g>
      {box.initial ? <circle class="initial" cx={9} cy={box.height / 2} r={2.6} /> : null}
      {times === 0 ? null : (
        <text class="times" x={box.width - 7} y={box.height / 2 + 4} text-anchor="end">
          {loops > 0 ? `↻${loops} ` : ""}
          {times}
        </text>
      )}
    </g>
  )
}
