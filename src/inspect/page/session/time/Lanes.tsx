/** The lanes of a timeline, drawn; nothing in here follows the pointer. */
import { now } from "../../clock.ts"
import { clockTime, duration } from "../../../client/format.ts"
import { axisHeight, laneHeight } from "./frame.ts"
import type { Frame } from "./frame.ts"
import type { Shapes } from "./shapes.ts"

/** Below the lanes: how long the gaps are. */
const gapsHeight = 13
/** Fewer pixels than this have no room for words. */
const wordsWidth = 44
const charWidth = 5.6

export const Lanes = ({ timeline }: { readonly timeline: Frame }) => {
  const { axis, height, names, shapes, ticks, timeAt, width, xOf } = timeline.frame.value
  const withMillis = timeAt(100) - timeAt(0) < 5
  return (
    <>
      <ul class="lane-names" aria-hidden="true">
        {names.map((name, n) => (
          <li key={n}>{name}</li>
        ))}
      </ul>
      <svg class="lanes" width={width} height={height + gapsHeight} role="img" aria-label={inWords(names, shapes)}>
        {axis.gaps.map(({ from, to }) => (
          <Gap key={from} x={xOf(from)} end={xOf(to)} words={duration(to - from)} {...{ height, width }} />
        ))}
        {ticks.map(({ at, x }) => (
          <g key={x} class="tick" transform={`translate(${x * width} 0)`}>
            <line y1={axisHeight - 3} y2={height} />
            <text y={11} text-anchor="middle">
              {clockTime(at, now.peek(), withMillis)}
            </text>
          </g>
        ))}
        {shapes.map((lane, n) => (
          <g key={n} transform={`translate(0 ${axisHeight + n * laneHeight})`}>
            <line class="lane-line" x2={width} y1={laneHeight} y2={laneHeight} />
            <Lane lane={lane} />
          </g>
        ))}
      </svg>
    </>
  )
}

const Lane = ({ lane: { bars, marks } }: { readonly lane: Shapes }) => (
  <>
    {bars.map(({ label, level, open, tone, width, x }, n) => (
      <g key={n} class={`bar tone-${tone}${open ? " open" : ""}${level < 1 ? " level" : ""}`}>
        <rect
          x={x}
          y={3 + (laneHeight - 6) * (1 - level)}
          width={width}
          height={Math.max(1, (laneHeight - 6) * level)}
          rx={level < 1 ? 0 : Math.min(3, width / 2)}
        />
        {level < 1 || width < label.length * charWidth + 8 ? null : (
          <text x={Math.max(x, 0) + 5} y={laneHeight - 6}>
            {label}
          </text>
        )}
      </g>
    ))}
    {marks.map(({ tone, x }, n) => (
      <rect key={n} class={`mark tone-${tone}`} x={x - 1} y={4} width={2} height={laneHeight - 8} rx={1} />
    ))}
  </>
)

interface GapOf {
  readonly x: number
  readonly end: number
  readonly words: string
  readonly height: number
  readonly width: number
}

const Gap = ({ end, height, width, words, x }: GapOf) =>
  end < 0 || x > width || end - x < 1 ? null : (
    <g class="gap">
      <rect x={x} y={axisHeight} width={end - x} height={height - axisHeight} />
      {end - x < wordsWidth ? null : (
        <text x={(Math.max(x, 0) + Math.min(end, width)) / 2} y={height + 10} text-anchor="middle">
          ⋯ {words}
        </text>
      )}
    </g>
  )

const inWords = (names: ReadonlyArray<string>, shapes: ReadonlyArray<Shapes>): string =>
  names
    .flatMap((name, n) => {
      const { bars = [], marks = [] } = shapes[n] ?? {}
      return name === "" ? [] : [`${bars.length + marks.length} in the lane ${name}`]
    })
    .join(", ")
