/** The log's lines of sessions: the one place where what happens to them is told there. */
import { Effect } from "effect"
import type { LogFields } from "../domain/logLine.ts"
import type { Notice } from "../domain/Notice.ts"
import { isTurnOk } from "../domain/TurnOutcome.ts"
import type { OpenTurns } from "./OpenTurns.ts"
import type { CommittedStep } from "./commit.ts"
import type { Reacting } from "./reactions.ts"

interface Line {
  readonly level: "Info" | "Warn"
  readonly message: string
  readonly fields: LogFields
}

/** Its place is before that of `openTurns`, which forgets a turn with its end. */
export class LogNotices implements Reacting {
  readonly #openTurns: OpenTurns

  constructor(openTurns: OpenTurns) {
    this.#openTurns = openTurns
  }

  react({ at, notices, record }: CommittedStep): Effect.Effect<void> | void {
    const lines = notices.flatMap((notice) => lineOf(notice, at, this.#openTurns) ?? [])
    if (lines.length === 0) return
    return Effect.forEach(
      lines,
      ({ fields, level, message }) =>
        Effect.annotateLogs(Effect.logWithLevel(level)(message), {
          session: record.id,
          agent: record.agent,
          ...fields
        }),
      { discard: true }
    )
  }
}

const lineOf = (notice: Notice, at: number, openTurns: OpenTurns): Line | null => {
  switch (notice._tag) {
    case "TurnEnded": {
      const { failure, status, turn } = notice
      const known = openTurns.begun(turn)
      const isOk = isTurnOk(status)
      const fields = {
        turn,
        outcome: status,
        ms: known === null ? null : at - known.submittedAt,
        request_id: known?.origin.request ?? null,
        ...(isOk ? {} : { class: failure?.class ?? null, reason: failure === null ? null : shortened(failure.message) })
      }
      return { level: isOk ? "Info" : "Warn", message: `turn ${status.replace("_", " ")}`, fields }
    }
    case "ProcessDied":
      return warning("agent process died", { class: notice.class, reason: shortened(notice.reason) })
    case "ProcessRestarted":
      return warning("agent process restarted", { attempt: notice.attempt })
    case "SessionParked": {
      const until = notice.until === null ? null : new Date(notice.until).toISOString()
      return warning("session parked", { reason: shortened(notice.reason), until })
    }
    case "ApprovalExpired":
      return warning("approval expired", { turn: notice.turn, approval: notice.id })
    case "ApprovalAsked":
    case "SessionClosed":
      return null
    default:
      return notice satisfies never
  }
}

const warning = (message: string, fields: LogFields): Line => ({ level: "Warn", message, fields })

/** A failure of an agent may quote a whole page of it. */
const shortened = (text: string): string => (text.length <= 500 ? text : `${text.slice(0, 500)}…`)
