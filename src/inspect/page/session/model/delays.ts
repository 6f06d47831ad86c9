/** How long a named delay of the machine is at a moment: a number, or reckoned from what it remembers then. */
import { duration } from "../../../client/format.ts"
import type { SessionMachine, SessionSnapshot } from "../../../../../machines/session/machine.ts"

export const delayMillis = (machine: SessionMachine, name: string, snapshot: SessionSnapshot): number | null => {
  const delays: Readonly<Record<string, unknown>> = machine.implementations.delays
  const delay = delays[name]
  if (typeof delay === "number") return delay
  if (typeof delay !== "function") return null
  const reckoned: unknown = Reflect.apply(delay, undefined, [{ context: snapshot.context, event: { type: "" } }, {}])
  return typeof reckoned === "number" ? reckoned : null
}

/** Empty where it is not known, or where there is none to wait. */
export const delayWords = (millis: number | null): string =>
  millis === null || millis === 0 ? "" : millis < 1_000 ? `${millis} ms` : duration(millis / 1_000)
