/** All of a machine, small: where it stands, and which part is drawn. A press or a drag shows the part around a state. */
import { toneOf } from "../../../client/tones.ts"
import type { Box, Drawn } from "../../../chart/drawn.ts"
import type { Size } from "./viewport.ts"

const width = 78

export const sizeOfMap = ({ height, width: wide }: Size): Size => ({
  width: width + 12,
  height: (height / wide) * width + 12
})

interface Props {
  readonly whole: Drawn
  readonly active: string
  /** The states that the drawing beside it has. */
  readonly seen: ReadonlySet<string>
  readonly onLook: (path: string) => void
}

export const SmallMap = ({ active, onLook, seen, whole }: Props) => {
  const height = (whole.height / whole.width) * width
  const leaves = whole.boxes.filter(({ kind }) => kind !== "compound")
  const look = (event: PointerEvent) => {
    event.stopPropagation()
    if (event.type === "pointermove" && event.buttons === 0) return
    const { left, top } = (event.currentTarget as Element).getBoundingClientRect()
    const k = whole.width / width
    onLook(nearest(leaves, (event.clientX - left) * k, (event.clientY - top) * k))
  }
  return (
    <svg
      class="chart-map"
      width={width}
      height={height}
      viewBox={`0 0 ${whole.width} ${whole.height}`}
      role="img"
      aria-label="The whole machine, small. Press a place to see what is around it."
      onPointerDown={look}
      onPointerMove={look}
      onClick={(event) => event.stopPropagation()}
    >
      <title>The whole machine; press a place to see what is around it</title>
      {whole.boxes.map((box) => (
        <rect
          key={box.path}
          class={`tone-${toneOf(box.path)} ${box.kind === "compound" ? "map-frame" : seen.has(box.path) ? "map-seen" : "map-state"}${box.path === active ? " map-active" : ""}`}
          x={box.x}
          y={box.y}
          width={box.width}
          height={box.height}
          rx={8}
        />
      ))}
    </svg>
  )
}

const nearest = (boxes: ReadonlyArray<Box>, x: number, y: number): string => {
  const away = (box: Box) => Math.hypot(x - box.x - box.width / 2, y - box.y - box.height / 2)
  return boxes.reduce((a, b) => (away(b) < away(a) ? b : a)).path
}
