/**
 * Everything that happened in a session over one time. Pointing at a moment shows the session as it was then; a press
 * stays there. The wheel looks closer, with shift or sideways it moves along.
 */
import type { Signal } from "@preact/signals"
import { useSignal } from "@preact/signals"
import { useLayoutEffect, useMemo, useRef } from "preact/hooks"
import { now } from "../../clock.ts"
import { clockTime } from "../../../client/format.ts"
import type { Store } from "../store.ts"
import { lastAtOrBefore, moved, zoomed } from "./axis.ts"
import { axisHeight, createFrame, namesWidth } from "./frame.ts"
import type { Frame } from "./frame.ts"
import { Lanes } from "./Lanes.tsx"

interface Tip {
  readonly x: number
  readonly y: number
  readonly text: string
}

export const Timeline = ({ store }: { readonly store: Store }) => {
  const body = useRef<HTMLDivElement>(null)
  const timeline = useMemo(() => createFrame(store), [store])
  const tip = useSignal<Tip | null>(null)
  useRoom(body, timeline)

  const placeOf = (event: MouseEvent) => {
    const { left = 0, top = 0 } = body.current?.getBoundingClientRect() ?? {}
    return { x: event.clientX - left - namesWidth, y: event.clientY - top + (body.current?.scrollTop ?? 0) }
  }
  const leave = () => {
    store.pointed.value = null
    tip.value = null
  }
  const point = (event: PointerEvent) => {
    const { x, y } = placeOf(event)
    if (x < 0 || event.pointerType === "touch") return leave()
    const at = timeline.frame.peek().timeAt(x)
    store.pointed.value = at
    tip.value = { x: x + namesWidth, y, text: timeline.wordsAt(x, y) ?? clockTime(at, now.peek(), true) }
  }
  const pin = (event: MouseEvent) => {
    const { x } = placeOf(event)
    if (x < 0) return
    const times = store.steps.peek().map(({ step }) => step.at)
    store.travel(lastAtOrBefore(times, timeline.frame.peek().timeAt(x)) + 1)
  }
  return (
    <div
      class="timeline"
      ref={body}
      tabIndex={0}
      role="region"
      aria-label="What happened, over time"
      onPointerMove={point}
      onPointerLeave={leave}
      onClick={pin}
    >
      <Lanes timeline={timeline} />
      <Moment store={store} timeline={timeline} />
      <TipBox tip={tip} timeline={timeline} />
    </div>
  )
}

/** The line of the moment that is shown, where that is not now. */
const Moment = ({ store, timeline }: { readonly store: Store; readonly timeline: Frame }) => {
  const at = store.pointed.value ?? pinnedTime(store)
  if (at === null) return null
  const { height, width, xOf } = timeline.frame.value
  const x = xOf(at)
  return x < 0 || x > width ? null : (
    <i class="moment" style={{ left: `${namesWidth + x}px`, top: `${axisHeight - 4}px`, height: `${height}px` }} />
  )
}

const pinnedTime = (store: Store): number | null => {
  const cursor = store.cursor.value
  if (cursor === null) return null
  return store.steps.value[cursor - 1]?.step.at ?? store.detail.value?.session.created_at ?? null
}

const TipBox = ({ timeline, tip }: { readonly tip: Signal<Tip | null>; readonly timeline: Frame }) => {
  const shownTip = tip.value
  if (shownTip === null) return null
  const isRight = shownTip.x > timeline.width.peek() * 0.6
  return (
    <div class={`tip${isRight ? " left" : ""}`} style={{ left: `${shownTip.x}px`, top: `${shownTip.y}px` }}>
      {shownTip.text}
    </div>
  )
}

/** How wide it is, and what its wheel does. */
const useRoom = (body: { readonly current: HTMLElement | null }, timeline: Frame): void =>
  useLayoutEffect(() => {
    const element = body.current
    if (element === null) return
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) timeline.width.value = entry.contentRect.width - namesWidth
    })
    observer.observe(element)
    // Not passive: what is behind it must not scroll.
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      const { axis, view, width } = timeline.frame.peek()
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
        return timeline.show(moved(axis, view, (event.deltaX + event.deltaY) / 600))
      const at = (event.clientX - element.getBoundingClientRect().left - namesWidth) / width
      timeline.show(zoomed(axis, view, Math.exp(Math.max(-80, Math.min(80, event.deltaY)) * 0.004), at))
    }
    element.addEventListener("wheel", wheel, { passive: false })
    return () => {
      observer.disconnect()
      element.removeEventListener("wheel", wheel)
    }
  }, [timeline])
