/** Which events a session's state draws an arrow for, read off its machine: the innermost state's own first. */
import type { SessionSnapshot } from "../../../machines/session/machine.ts"
import { nameOfTimer } from "../wait.ts"

export const awaitedIn = (snapshot: SessionSnapshot): ReadonlyArray<string> => {
  if (snapshot.status !== "active") return []
  const inner = [...snapshot._nodes].sort((a, b) => b.path.length - a.path.length)
  const events = inner.flatMap((node) =>
    [...node.transitions].flatMap(([event, arrows]) =>
      // "Known, and ignored" is an arrow to nowhere: nobody waits for it.
      arrows.some(({ actions, target }) => target !== undefined || actions.length > 0) ? [eventName(event)] : []
    )
  )
  return [...new Set(events)]
}

/** As the chart calls it: `after hibernateAfter`. */
const eventName = (event: string): string => (event.startsWith("xstate.after.") ? `after ${nameOfTimer(event)}` : event)
