/** The events that the session's state has a transition for, read off its machine: those of the innermost state first. */
import type { SessionSnapshot } from "../../../machines/session/machine.ts"
import { nameOfTimer } from "../wait.ts"

export const awaitedIn = (snapshot: SessionSnapshot): ReadonlyArray<string> => {
  if (snapshot.status !== "active") return []
  const innermostFirst = [...snapshot._nodes].sort((a, b) => b.path.length - a.path.length)
  const events = innermostFirst.flatMap((node) =>
    [...node.transitions].flatMap(([event, transitions]) =>
      // A transition without target and actions ignores the event: the session does not wait for it.
      transitions.some(({ actions, target }) => target !== undefined || actions.length > 0) ? [eventName(event)] : []
    )
  )
  return [...new Set(events)]
}

/** As the chart calls it: `after hibernateAfter`. */
const eventName = (event: string): string => (event.startsWith("xstate.after.") ? `after ${nameOfTimer(event)}` : event)
