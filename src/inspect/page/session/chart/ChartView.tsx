/**
 * The machine's chart, drawn: its state is lit, transitions that were taken are strong, those out of its state are named.
 *
 * It shows what is around the state that it stands in, large enough to be read, and follows it; around another state where
 * that is pressed, here or on the small map; or all of it. Looks closer by wheel, by `+` and `-`, moves by dragging and by
 * arrow keys; `0` fits it again. The list beside it says the same in words.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import type { Laid } from "../../../chart/drawn.ts"
import type { Chart } from "../../../chart/read.ts"
import { stateOf, substateWords } from "../../../client/tones.ts"
import type { Count } from "../model/counts.ts"
import { keyOf } from "../model/takenWays.ts"
import type { TakenWay } from "../model/takenWays.ts"
import { ArrowCard } from "./ArrowCard.tsx"
import type { Recent } from "./ArrowCard.tsx"
import { Drawing } from "./Drawing.tsx"
import { Legend } from "./Legend.tsx"
import { sceneOf } from "./scene.ts"
import { SmallMap, sizeOfMap } from "./SmallMap.tsx"
import { usePointedArrow } from "./usePointedArrow.ts"
import { usePanZoom } from "./usePanZoom.ts"
import { leastNear, textScale } from "./viewport.ts"

interface Props {
  readonly chart: Chart
  readonly laid: Laid
  /** Empty: of many sessions, which stand in many. */
  readonly active: string
  readonly counts: ReadonlyMap<string, Count>
  readonly visits: ReadonlyMap<string, number>
  readonly last: ReadonlyArray<TakenWay>
  /** Another one each time: what was taken last is drawn anew. */
  readonly lastKey: string
  readonly selected: string | null
  readonly onSelect: (path: string | null) => void
  /** As `onSelect`, of who only looks around. */
  readonly onLook?: (path: string) => void
  /** When an arrow was taken, of one session. */
  readonly recent?: Recent
  /** How long a delay is, in words; it does not change between two pictures without another `lastKey`. */
  readonly delays?: ((name: string) => string) | undefined
}

export const ChartView = (props: Props) => {
  const { active, chart, counts, delays, laid, last, lastKey, onLook, onSelect, selected, visits } = props
  const [hovered, setHovered] = useState<string | null>(null)
  const [all, setAll] = useState(false)
  const [isWhole, setWhole] = useState(false)
  /** The state that it showed when the reader moved it: there it stays. */
  const [held, setHeld] = useState<string | null>(null)
  const container = useRef<HTMLDivElement>(null)
  const arrow = usePointedArrow(container)
  const center = selected ?? held ?? active
  const near = isWhole ? undefined : laid.around[center]
  const drawn = near ?? laid.whole
  const isNear = near !== undefined
  const how = useMemo(
    () =>
      isNear
        ? { least: leastNear, corner: sizeOfMap(laid.whole), first: drawn.boxes.find(({ path }) => path === center) }
        : {},
    [drawn]
  )
  const { fit, handlers, isMoving, view, zoom } = usePanZoom(container, {
    drawn,
    fit: how,
    onMove: () => setHeld(center)
  })
  const scale = textScale(view.k)
  const scene = useMemo(
    () => sceneOf({ chart, drawn, active, counts, last, selected, hovered, all, delays, isNear, scale }),
    [chart, drawn, active, counts, last, selected, hovered, all, scale]
  )
  const seen = useMemo(() => new Set(drawn.boxes.map(({ path }) => path)), [drawn])
  const isAway = active !== "" && (held !== null || (!isWhole && center !== active))
  const follow = () => {
    setHeld(null)
    onSelect(null)
    fit()
  }
  useEffect(() => {
    if (selected === null) return
    const clear = (event: KeyboardEvent) => event.key === "Escape" && onSelect(null)
    addEventListener("keydown", clear)
    return () => removeEventListener("keydown", clear)
  }, [selected])

  return (
    <div class="chart-pane">
      <div class="chart-bar">
        <span class="chart-title">{isNear ? <>Around {nameOf(center)}</> : "All states"}</span>
        {isAway ? (
          <button type="button" class="icon-button" onClick={follow}>
            follow {nameOf(active)}
          </button>
        ) : null}
        {active === "" ? null : (
          <button
            type="button"
            class="icon-button"
            aria-pressed={isWhole}
            onClick={() => {
              setWhole(!isWhole)
              setHeld(null)
            }}
          >
            all states
          </button>
        )}
        <button type="button" class="icon-button" aria-pressed={all} onClick={() => setAll(!all)}>
          all words
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
      <div
        ref={container}
        class={`chart${isMoving ? " moving" : ""}`}
        tabIndex={0}
        role="group"
        aria-label={active === "" ? "Chart of the machine" : `Chart of the machine; it stands in ${active}`}
        {...handlers}
      >
        <Drawing
          arrow={arrow}
          {...{ active, counts, drawn, last, lastKey, scale, scene, selected, view, visits, onSelect }}
          onHover={setHovered}
        />
        {arrow.pointed === null ? null : (
          <ArrowCard
            arrows={arrow.pointed.keys.flatMap((key) => chart.arrows.find((each) => keyOf(each) === key) ?? [])}
            counts={counts}
            pointed={arrow.pointed}
            room={{ width: container.current?.clientWidth ?? 0, height: container.current?.clientHeight ?? 0 }}
            recent={props.recent}
            onKeep={arrow.keep}
            onLeave={arrow.leave}
            onClose={arrow.close}
          />
        )}
        {isNear ? <SmallMap whole={laid.whole} active={active} seen={seen} onLook={onLook ?? onSelect} /> : null}
      </div>
      <Legend active={active} />
    </div>
  )
}

/** `idle · awake`, as in the badge. */
const nameOf = (path: string): string => {
  const inner = substateWords(path)
  return inner === "" ? stateOf(path) : `${stateOf(path)} · ${inner}`
}
