/** Every stored step: from where, by what, to where, what it ordered. A press goes there in time. */
import { wordsOfCommand, wordsOfStored } from "../../../client/machineWords.ts"
import { useEffect, useRef, useState } from "preact/hooks"
import { now } from "../../clock.ts"
import { clockTime } from "../../../client/format.ts"
import { toneOf } from "../../../client/tones.ts"
import type { Replayed } from "../model/replay.ts"
import { isRestart, timerName, troupeEnded } from "../model/timers.ts"
import type { Store } from "../store.ts"
import { RawLine } from "./RawLine.tsx"
import { useMeasured } from "./useMeasured.ts"

export const Steps = ({ store }: { readonly store: Store }) => {
  const scroller = useRef<HTMLDivElement>(null)
  const [open, setOpen] = useState<number | null>(null)
  const steps = store.steps.value
  const at = store.moment.value
  const rows = useMeasured({
    count: steps.length,
    guess: 30,
    keyOf: (index) => `${steps[index]?.step.seq ?? index}`,
    scroller
  })
  const pinned = store.cursor.value
  useEffect(() => {
    const to = (pinned ?? steps.length) - 1
    if (to >= 0) rows.scrollToIndex(to, { align: pinned === null ? "end" : "auto" })
  }, [pinned, steps.length])
  const drift = store.drift.value
  return (
    <div class="steps" ref={scroller} tabIndex={0} role="region" aria-label="Steps">
      {drift.length === 0 ? null : (
        <p class="drift" role="alert">
          Drift: the steps lead to another snapshot than the stored one ({drift.map(({ path }) => path).join(", ")}).
          The bounds may have changed since, or the machine.
        </p>
      )}
      {steps.length === 0 ? <p class="empty">No step was taken yet.</p> : null}
      <div class="rows" style={{ height: `${rows.getTotalSize()}px` }}>
        {rows.getVirtualItems().map(({ index, key, start }) => {
          const each = steps[index]
          return each === undefined ? null : (
            <div
              key={key}
              ref={(element) => rows.measureElement(element)}
              data-index={index}
              class={`row step${index + 1 === at ? " current" : ""}${index >= at ? " later" : ""}`}
              style={{ transform: `translateY(${start}px)` }}
            >
              <StepLine each={each} onTravel={() => store.travel(index + 1)} />
              {each.step.wire && store.api !== null ? (
                <button
                  type="button"
                  class="icon-button"
                  aria-expanded={open === each.step.seq}
                  onClick={() => setOpen(open === each.step.seq ? null : each.step.seq)}
                >
                  wire
                </button>
              ) : null}
              {each.drift === null ? null : <p class="drift">Drift: {each.drift}</p>}
              {open === each.step.seq && store.api !== null ? <RawLine api={store.api} seq={open} /> : null}
            </div>
          )
        })}
      </div>
    </div>
  )
}

const StepLine = ({ each: { step }, onTravel }: { readonly each: Replayed; readonly onTravel: () => void }) => (
  <button type="button" class={`step-line tone-${toneOf(step.to)}`} onClick={onTravel}>
    <span class="step-seq">{step.seq}</span>
    <time>{clockTime(step.at, now.peek(), true)}</time>
    <span class="step-event" title={isRestart(step) ? troupeEnded : timerName(step.event.type)}>
      {isRestart(step) ? "Troupe was restarted" : wordsOfStored(step.event.type)}
    </span>
    <span class="step-way">
      {step.from === step.to ? (
        <span class="dim">stays in {step.to}</span>
      ) : (
        <>
          <span class="dim">{step.from}</span> → <b>{step.to}</b>
        </>
      )}
    </span>
    <span class="step-orders faint" title={step.commands.join(", ")}>
      {step.commands.map(wordsOfCommand).join(", ")}
    </span>
  </button>
)
