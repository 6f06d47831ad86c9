/** A state with its sign, its colour and its words. */
import { stateOf, substateWords, toneOf } from "../../client/tones.ts"
import type { Tone } from "../../client/tones.ts"
import { failedWords, failureOf } from "../../client/words.ts"
import type { SessionRow } from "../../contract.ts"
import { Age } from "./Time.tsx"

/** One shape for each tone, on a square of 12. */
const shapes: Readonly<Record<Tone, string>> = {
  idle: "M6 1.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9Zm0 1.7a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6Z",
  turning: "M3 1.6v8.8c0 .4.4.6.7.4l6.6-4.4a.5.5 0 0 0 0-.8L3.7 1.2a.5.5 0 0 0-.7.4Z",
  queued: "M2.6 1h6.8v1.6L6.9 6l2.5 3.4V11H2.6V9.4L5.1 6 2.6 2.6V1Zm1.9 1.5L6 4.6l1.5-2.1h-3Z",
  asking: "M6 .6 11.4 6 6 11.4.6 6 6 .6Zm-.8 2.9v3.2h1.6V3.5H5.2Zm0 4v1.5h1.6V7.5H5.2Z",
  retiring: "M6 1.2a4.8 4.8 0 1 1 0 9.6 4.8 4.8 0 0 1 0-9.6Zm0 1.5v6.6a3.3 3.3 0 0 0 0-6.6Z",
  backing: "M6 1.2v1.7a3.1 3.1 0 1 0 3.1 3.1h1.7A4.8 4.8 0 1 1 6 1.2Zm1.2-.6 3.3 2.1-3.3 2.1V.6Z",
  parked: "M2.5 1.5h2.6v9H2.5v-9Zm4.4 0h2.6v9H6.9v-9Z",
  closed: "M2.2 2.2h7.6v7.6H2.2V2.2Z"
}

export const Sign = ({ tone }: { readonly tone: Tone }) => (
  <svg class={`sign tone-${tone}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
    <path d={shapes[tone]} fill="currentColor" fill-rule="evenodd" />
  </svg>
)

export const StateBadge = ({ substate }: { readonly substate: string }) => {
  const tone = toneOf(substate)
  const words = substateWords(substate)
  return (
    <span class={`badge tone-${tone}`}>
      <Sign tone={tone} />
      <b>{stateOf(substate)}</b> {words === "" ? null : <span class="badge-sub">{words}</span>}
    </span>
  )
}

/** That its last turn went wrong, beside the badge, until another one runs. */
export const OutcomeMark = ({ row }: { readonly row: Pick<SessionRow, "last_outcome" | "state"> }) => {
  const failed = failureOf(row)
  if (failed === null) return null
  const { at, failure, turn } = failed
  return (
    <span
      class="outcome-mark"
      title={`Turn ${turn} ${failedWords(failed)}${failure === null ? "" : `. ${failure.message}`}`}
    >
      failed <Age at={at} />
    </span>
  )
}
