/** What the chart's colours, lines and signs mean: the few that it always needs, and all of them on demand. */
import { useState } from "preact/hooks"
import { Sign } from "../../ui/State.tsx"
import { toneOf } from "../../../client/tones.ts"
import type { Tone } from "../../../client/tones.ts"

const kinds: ReadonlyArray<readonly [tone: Tone, words: string]> = [
  ["idle", "no turn runs"],
  ["turning", "a turn is open"],
  ["queued", "it waits in line for a process"],
  ["asking", "a person is asked"],
  ["backing", "it waits before a restart"],
  ["parked", "left alone after failures"],
  ["retiring", "its process is being ended"],
  ["closed", "over"]
]

/** `active`: where one session stands; empty: many sessions. */
export const Legend = ({ active }: { readonly active: string }) => {
  const isOfOne = active !== ""
  const tone = toneOf(active)
  const [isOpen, setOpen] = useState(false)
  return (
    <div class="legend">
      {isOpen ? (
        <div id="chart-legend" class="legend-all" role="region" aria-label="What the chart's signs mean">
          <ul>
            <Line kind="never" words="never taken" />
            <Line kind="taken" words="taken; the thicker, the more often" />
            {isOfOne ? <Line kind="last" words="taken last" /> : null}
            {isOfOne ? <Line kind="awaited" words="can be taken next" /> : null}
            <Line kind="focus" words="of the state that is pointed at or pressed" />
            <Key sign={<BoxSign name="never" />} words="a state it was never in" />
            <Key sign={<BoxSign name="been" />} words="a state it was in; the number: how often" />
            {isOfOne ? <Key sign={<BoxSign name="active" />} words="where it stands" tone={tone} /> : null}
            <Key sign={<b>•</b>} words="where one begins in the frame around it" />
            <Key sign={<b>↻2</b>} words="left to come back at once, twice" />
            <Key sign={<b>+2</b>} words="and two more causes lead there" />
          </ul>
          <ul>
            {kinds.map(([tone, words]) => (
              <Key key={tone} sign={<Sign tone={tone} />} words={words} tone={tone} />
            ))}
          </ul>
        </div>
      ) : null}
      <ul class="legend-row">
        {isOfOne ? <Key sign={<BoxSign name="active" />} words="stands here" tone={tone} /> : null}
        {isOfOne ? <Line kind="last" words="taken last" /> : null}
        {isOfOne ? <Line kind="awaited" words="can be next" /> : null}
        <Line kind="taken" words="taken" />
        <Line kind="never" words="never" />
      </ul>
      <button
        type="button"
        class="icon-button"
        aria-expanded={isOpen}
        aria-controls="chart-legend"
        onClick={() => setOpen(!isOpen)}
      >
        legend
      </button>
    </div>
  )
}

const Key = ({
  sign,
  tone,
  words
}: {
  readonly sign: preact.ComponentChild
  readonly tone?: Tone
  readonly words: string
}) => (
  <li>
    <span class={`legend-sign${tone === undefined ? "" : ` tone-${tone}`}`} aria-hidden="true">
      {sign}
    </span>
    {words}
  </li>
)

const Line = ({ kind, words }: { readonly kind: string; readonly words: string }) => (
  <Key
    sign={
      <svg width="22" height="10">
        <path class={`line line-${kind}`} d="M1 5H21" stroke-width={kind === "never" ? 1 : 2.4} />
      </svg>
    }
    words={words}
  />
)

const BoxSign = ({ name }: { readonly name: string }) => <i class={`legend-box legend-${name}`} />
