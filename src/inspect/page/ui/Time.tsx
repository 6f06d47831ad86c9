/** Times that count by themselves: only the text changes, and not the element around it. */
import { useComputed, useSignal } from "@preact/signals"
import { now } from "../clock.ts"
import { age, countdown, duration, fullTime } from "../../client/format.ts"

interface Props {
  /** Unix seconds, by the server's clock. */
  readonly at: number
}

const useText = (at: number, textOf: (seconds: number, at: number) => string) => {
  const moment = useSignal(at)
  moment.value = at
  return useComputed(() => textOf(now.value, moment.value))
}

/** How long ago, for a narrow column: `4m`. */
export const Age = ({ at }: Props) => {
  const text = useText(at, (seconds, at) => age(seconds - at))
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={fullTime(at)}>
      {text}
    </time>
  )
}

/** The time since then, in words for a sentence: `3 min 20 s`. */
export const Since = ({ at }: Props) => {
  const text = useText(at, (seconds, at) => duration(seconds - at))
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={fullTime(at)}>
      {text}
    </time>
  )
}

/** Until then: `4:48`, and `due` when it is there. */
export const Countdown = ({ at }: Props) => {
  const text = useText(at, (seconds, at) => (at <= seconds ? "due" : countdown(at - seconds)))
  return (
    <time class="countdown" dateTime={new Date(at * 1000).toISOString()} title={fullTime(at)}>
      {text}
    </time>
  )
}
