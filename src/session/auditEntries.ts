/** Which lines a step leaves in the audit trail: who did what to whom, in the words of the HTTP contract. */
import { failureOf } from "../../machines/session/events.ts"
import { outcomeUnknown } from "../../machines/session/failures.ts"
import { delayName, stateInfo } from "../../machines/session/stateInfo.ts"
import type { Step } from "./Step.ts"

interface Line {
  readonly action: string
  readonly detail: Readonly<Record<string, unknown>>
}

export const auditEntries = (step: Step): ReadonlyArray<Line> => [
  ...ofEvent(step),
  ...step.decision.commands.flatMap((command) => ofCommand(step, command)),
  ...ofState(step)
]

const ofEvent = ({ decision, event }: Step): ReadonlyArray<Line> => {
  switch (event.type) {
    case "interrupt.requested":
      return [{ action: "interrupt", detail: { turn: event.turn ?? decision.next.context.turn } }]
    case "close.requested":
      return [{ action: "close", detail: { reason: event.reason } }]
    case "expire.requested":
      return [{ action: "sweep_close", detail: { reason: event.reason } }]
    case "settings.changed":
      return [{ action: "settings", detail: { ...event.settings } }]
    case "agent.chosen":
      return [{ action: "settings", detail: { agent: event.agent, ...event.settings } }]
    case "limit.exceeded":
      return [{ action: "limit", detail: { limit: event.limit, reason: event.failure.message } }]
    case "unpark.requested":
      return [{ action: "unpark", detail: {} }]
    case "process.lost": {
      const resumed = "Troupe stopped before the prompt was handed to the agent. The turn goes on."
      const reason = failureOf(event)?.message ?? (decision.next.hasTag("turnOpen") ? resumed : outcomeUnknown.message)
      return [{ action: "lost", detail: { reason } }]
    }
    default:
      return []
  }
}

const ofCommand = ({ decision }: Step, command: Step["decision"]["commands"][number]): ReadonlyArray<Line> => {
  switch (command.type) {
    case "openTurn":
      return [{ action: "turn_start", detail: { turn: command.params.turn } }]
    case "settleTurn": {
      const { failure, status, stopReason, turn, withoutEnd } = command.params
      const detail = {
        turn,
        status,
        stop_reason: stopReason,
        ...(withoutEnd && { accepted_without_end: true }),
        ...(failure && { failure: failure.class })
      }
      return [{ action: "turn_end", detail }]
    }
    case "startProcess": {
      const { generation } = command.params
      const action = decision.next.context.restarts.attempt > 0 ? "restart" : generation === 1 ? "start" : "wake"
      return [{ action, detail: { generation } }]
    }
    default:
      return []
  }
}

const ofState = ({ before, decision, event, from, to }: Step): ReadonlyArray<Line> => {
  const { generation, limit, reason, restarts } = decision.next.context
  if (decision.next.hasTag("retiring") && !before.hasTag("retiring")) {
    const hibernates = event.type === "hibernate.requested" || delayName(event.type) === "hibernateAfter"
    return [{ action: hibernates ? "hibernate" : "retire", detail: { reason, generation } }]
  }
  if (from !== to && stateInfo[to].process === "parked") {
    const detail = limit.pauseMillis > 0 ? { reason, until: limit.until } : { reason, exits: restarts.exits.length }
    return [{ action: "park", detail }]
  }
  return []
}
