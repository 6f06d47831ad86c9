/** Which lines a step leaves in the audit trail: who did what to whom, in the words of the contract. */
import { failureOf } from "../../machines/session/events.ts"
import { notDelivered, outcomeUnknown } from "../../machines/session/failures.ts"
import type { Step } from "./Step.ts"

interface Line {
  readonly action: string
  readonly detail: Readonly<Record<string, unknown>>
}

export const auditEntries = ({ decision, event }: Step, from: string, to: string): ReadonlyArray<Line> => {
  const { context } = decision.next
  const lines: Array<Line> = []
  const say = (action: string, detail: Line["detail"] = {}) => lines.push({ action, detail })

  switch (event.type) {
    case "interrupt.requested":
      say("interrupt", { turn: event.turn ?? context.turn })
      break
    case "close.requested":
      say("close", { reason: event.reason })
      break
    case "expire.requested":
      say("sweep_close", { reason: event.reason })
      break
    case "unpark.requested":
      say("unpark")
      break
    case "process.lost":
      say("lost", { reason: (failureOf(event) ?? (event.claimed === false ? notDelivered : outcomeUnknown)).message })
      break
    default:
  }
  for (const command of decision.commands) {
    switch (command.type) {
      case "openTurn":
        say("turn_start", { turn: command.params.turn })
        break
      case "settleTurn": {
        const { failure, status, stopReason, turn, withoutEnd } = command.params
        say("turn_end", {
          turn,
          status,
          stop_reason: stopReason,
          ...(withoutEnd && { accepted_without_end: true }),
          ...(failure && { failure: failure.class })
        })
        break
      }
      case "startProcess": {
        const { generation } = command.params
        say(context.restarts.attempt > 0 ? "restart" : generation === 1 ? "start" : "wake", { generation })
        break
      }
      default:
    }
  }
  if (to.startsWith("retiring") && !from.startsWith("retiring")) {
    const slept = event.type === "hibernate.requested" || (event.type as string).includes(".hibernateAfter.")
    say(slept ? "hibernate" : "retire", { reason: context.reason, generation: context.generation })
  }
  if (to === "idle.parked" && from !== to) {
    const { limit, reason, restarts } = context
    say("park", limit.pauseMillis > 0 ? { reason, until: limit.until } : { reason, exits: restarts.exits.length })
  }
  return lines
}
