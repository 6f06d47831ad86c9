/**
 * Everything that happened in a session over one time. Pointing at a moment shows the session as it was then; a press
 * stays there. The wheel looks closer, with shift or sideways it moves along.
 */
import { useComputed } from "@preact/signals"
import { useLayoutEffect, useRef, useState } from "preact/hooks"
import { now } from "../../clock.ts"
import { clockTime, duration } from "../../format.ts"
import type { Store } from "../store.ts"
import { lastAtOrBefore, moved, ticksOf, whole, zoomed } from "./axis.ts"
import type { View } from "./axis.ts"
import { nearest, shapesOf } from "./shapes.ts"

const laneHeight = 19
const namesWidth = 74
const axisHeight = 18
/** Below the lanes: how long the gaps are. */
const gapsHeight = 13

export const Timeline = ({ store }: { readonly store: Store }) => {
  const body = useRef<HTMLDivElement>(null)
  const width = useWidth(body) - namesWidth
  const [tip, setTip] = useState<{ readonly x: number; readonly y: number; readonly text: string } | null>(null)
  const axis = store.axis.value
  const view = store.view.value ?? whole(axis)
  const lanes = store.lanes.value
  const xOf = (at: number) => ((axis.placeOf(at) - view.from) / (view.to - view.from)) * width
  const shapes = lanes.map((lane) => shapesOf(lane, xOf, width, now.value))
  const show = (next: View) => {
    const all = whole(axis)
    store.view.value = next.to - next.from >= all.to - all.from ? null : next
  }

  const placeOf = (event: MouseEvent) => {
    const { left = 0, top = 0 } = body.current?.getBoundingClientRect() ?? {}
    return { x: event.clientX - left - namesWidth, y: event.clientY - top }
  }
  const timeAt = (x: number) => axis.timeAt(view.from + (x / Math.max(1, width)) * (view.to - view.from))
  const point = (event: PointerEvent) => {
    const { x, y } = placeOf(event)
    if (x < 0 || event.pointerType === "touch") return leave()
    const at = timeAt(x)
    store.pointed.value = at
    const lane = shapes[Math.floor((y - axisHeight) / laneHeight)]
    const hit = lane === undefined ? undefined : nearest(lane, x)
    setTip({ x: x + namesWidth, y, text: hit?.label ?? clockTime(at, now.value, true) })
  }
  const leave = () => {
    store.pointed.value = null
    setTip(null)
  }
  const pin = (event: MouseEvent) => {
    const { x } = placeOf(event)
    if (x >= 0)
      store.travel(
        lastAtOrBefore(
          store.steps.value.map(({ step }) => step.at),
          timeAt(x)
        ) + 1
      )
  }
  useWheel(body, (event, x) => {
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
      return show(moved(axis, view, (event.deltaX + event.deltaY) / 600))
    show(zoomed(axis, view, Math.exp(Math.max(-80, Math.min(80, event.deltaY)) * 0.004), (x - namesWidth) / width))
  })

  const shown = useComputed(() => store.pointed.value ?? pinnedTime(store)).value
  const height = axisHeight + lanes.length * laneHeight
  return (
    <div class="timeline" ref={body} onPointerMove={point} onPointerLeave={leave} onClick={pin}>
      <ul class="lane-names" aria-hidden="true">
        {lanes.map(({ name }, n) => (
          <li key={n}>{name}</li>
        ))}
      </ul>
      <svg class="lanes" width={Math.max(0, width)} height={height + gapsHeight} role="img" aria-label={inWords(store)}>
        {axis.gaps.map(({ from, to }) => {
          const [x, end] = [xOf(from), xOf(to)]
          return end < 0 || x > width ? null : (
            <g key={from} class="gap">
              <rect x={x} y={axisHeight} width={Math.max(0, end - x)} height={height - axisHeight} />
              {end - x < 44 ? null : (
                <text x={(Math.max(x, 0) + Math.min(end, width)) / 2} y={height + 10} text-anchor="middle">
                  ⋯ {duration(to - from)}
                </text>
              )}
            </g>
          )
        })}
        {ticksOf(axis, view, Math.max(1, Math.floor(width / 120))).map(({ at, x }) => (
          <g key={x} class="tick" transform={`translate(${x * width} 0)`}>
            <line y1={axisHeight - 3} y2={height} />
            <text y={11} text-anchor="middle">
              {clockTime(at, now.value, timeAt(100) - timeAt(0) < 5)}
            </text>
          </g>
        ))}
        {shapes.map(({ bars, marks }, n) => (
          <g key={n} transform={`translate(0 ${axisHeight + n * laneHeight})`}>
            <line class="lane-line" x2={width} y1={laneHeight} y2={laneHeight} />
            {bars.map(({ label, open, tone, width: w, x }) => (
              <g key={x} class={`bar tone-${tone}${open ? " open" : ""}`}>
                <rect x={x} y={3} width={w} height={laneHeight - 6} rx={Math.min(3, w / 2)} />
                {w < label.length * 5.6 + 8 ? null : (
                  <text x={Math.max(x, 0) + 5} y={laneHeight - 6}>
                    {label}
                  </text>
                )}
              </g>
            ))}
            {marks.map(({ tone, x }) => (
              <rect key={x} class={`mark tone-${tone}`} x={x - 1} y={4} width={2} height={laneHeight - 8} rx={1} />
            ))}
          </g>
        ))}
        {shown === null ? null : (
          <line class="moment" x1={xOf(shown)} x2={xOf(shown)} y1={axisHeight - 4} y2={height} />
        )}
      </svg>
      {tip === null ? null : (
        <div class={`tip${tip.x > width * 0.6 ? " left" : ""}`} style={{ left: `${tip.x}px`, top: `${tip.y}px` }}>
          {tip.text}
        </div>
      )}
    </div>
  )
}

const pinnedTime = (store: Store): number | null => {
  const cursor = store.cursor.value
  if (cursor === null) return null
  return store.steps.value[cursor - 1]?.step.at ?? store.detail.value?.session.created_at ?? null
}

const inWords = (store: Store): string =>
  store.lanes.value.map(({ bars, marks, name }) => `${bars.length + marks.length} in the lane ${name}`).join(", ")

const useWidth = (of: { readonly current: HTMLElement | null }): number => {
  const [width, setWidth] = useState(600)
  useLayoutEffect(() => {
    if (of.current === null) return
    const observer = new ResizeObserver(([entry]) => entry !== undefined && setWidth(entry.contentRect.width))
    observer.observe(of.current)
    return () => observer.disconnect()
  }, [])
  return width
}

const useWheel = (
  of: { readonly current: HTMLElement | null },
  turned: (event: WheelEvent, x: number) => void
): void => {
  const latest = useRef(turned)
  latest.current = turned
  useLayoutEffect(() => {
    const element = of.current
    if (element === null) return
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      latest.current(event, event.clientX - element.getBoundingClientRect().left)
    }
    element.addEventListener("wheel", wheel, { passive: false })
    return () => element.removeEventListener("wheel", wheel)
  }, [])
}
