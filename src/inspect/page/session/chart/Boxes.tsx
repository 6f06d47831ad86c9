/** The states of a drawn chart: frames for those that have others inside, boxes that can be pressed for the rest. */
import { stateOf, substateWords, toneOf } from "../../../client/tones.ts"
import type { Count } from "../model/counts.ts"
import type { Box, Drawn } from "../../../chart/drawn.ts"
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
  /** So many times larger its words are than the boxes were reckoned for. */
  readonly scale: number
}

/** Of a name in a box, on average. */
const charWidth = 6.6
/** A name may stand out of its box by so much. */
const overhang = 1.5

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

/** By style, and not as an attribute: where another drawing has it elsewhere, it goes there before the reader's eyes. */
const placed = (x: number, y: number) => ({ transform: `translate(${x}px, ${y}px)` })

const Frame = (props: Each) => {
  const { height, key, width, x, y } = props.box
  return (
    <g class={classOf(props, "frame")} style={placed(x, y)}>
      <rect width={width} height={height} rx={9} />
      <text x={14} y={Math.min(height - 4, 10 + 11 * props.scale)}>
        {key}
      </text>
    </g>
  )
}

const Leaf = (props: Each) => {
  const { box, counts, onHover, onSelect, scale, selected, visits } = props
  const times = visits.get(box.path) ?? 0
  const loops = loopsOf(box, counts)
  const name = substateWords(box.path) || box.key
  const start = box.initial ? 17 : 11
  const isLegible = start + name.length * charWidth * scale <= box.width * overhang
  const isActive = props.active.includes(box.path)
  const press = (event: Event) => {
    event.stopPropagation()
    onSelect?.(selected === box.path ? null : box.path)
  }
  return (
    <g class={classOf(props, "state")} style={placed(box.x, box.y)}>
      <g
        role="button"
        tabIndex={0}
        aria-pressed={selected === box.path}
        aria-label={`${stateOf(box.path)} ${substateWords(box.path)}${isActive ? ", it stands here" : ""}, entered ${times} ${times === 1 ? "time" : "times"}`}
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
        {isActive || isLegible ? (
          <text x={start} y={box.height / 2 + 4.5 * scale}>
            {name}
          </text>
        ) : null}
      </g>
      {box.initial ? <circle class="initial" cx={9} cy={box.height / 2} r={2.6} /> : null}
      {times === 0 || scale > 1.15 ? null : (
        <text class="times" x={box.width - 7} y={box.height / 2 + 4} text-anchor="end">
          {loops > 0 ? `↻${loops} ` : ""}
          {times}
        </text>
      )}
    </g>
  )
}
