/** The turns that have no outcome yet: what to hand to the agent. */
import { Effect, Option } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import type { Origin } from "../domain/Origin.ts"
import { promptOfTurn } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError, SubmittedTurn } from "../ledger/Ledger.ts"
import * as Tally from "../domain/Tally.ts"
import { FleetCounts } from "../runtime/FleetCounts.ts"
import { turnMeters } from "../runtime/TurnMeters.ts"
import type { TurnMeters } from "../runtime/TurnMeters.ts"
import type { CommittedStep } from "./commit.ts"
import type { TurnPrompt } from "./CommandHandler.ts"
import { isSubmission } from "./Envelope.ts"
import type { Envelope, Submission } from "./Envelope.ts"
import type { Session } from "./Session.ts"

interface Begun extends TurnPrompt {
  readonly submittedAt: number
  readonly origin: Origin
  /** How long it waited for a process; `null`: it waits. */
  waitedMillis: number | null
}

interface Services {
  readonly ledger: Ledger["Service"]
  readonly meters: TurnMeters
  readonly fleet: (typeof FleetCounts)["Service"]
}

export class OpenTurns {
  readonly #id: SessionId
  readonly #services: Services
  #compaction: number | null
  readonly #begun = new Map<number, Begun>()

  constructor(id: SessionId, services: Services, compaction: number | null) {
    this.#id = id
    this.#services = services
    this.#compaction = compaction
  }

  /** From memory, or from the ledger where the turn was accepted before this actor ran. */
  promptOf(turn: number): Effect.Effect<TurnPrompt> {
    const begun = this.#begun.get(turn)
    if (begun !== undefined) return Effect.succeed(begun)
    return Effect.map(Effect.orDie(this.#services.ledger.turn(this.#id, turn)), (row) => {
      const stored = Option.getOrThrow(row)
      return { kind: stored.kind, prompt: promptOfTurn(stored) }
    })
  }

  /** The turn of a submission that has come before; `null`: it is new. Only what may have come before is looked for. */
  knownBy({ event }: Envelope): Effect.Effect<SubmittedTurn | null, LedgerError> {
    return event !== "wake" && isSubmission(event) && event.name !== undefined && event.mayBeKnown === true
      ? Effect.map(this.#services.ledger.turnOfSubmission(this.#id, event.name.id), Option.getOrNull)
      : Effect.succeed(null)
  }

  /** The open turn, where it is a compaction: that never waits in line. */
  compaction(): number | null {
    return this.#compaction
  }

  /** What only this actor's memory has of it; `null`: it was accepted before this actor ran. */
  begun(turn: number): { readonly submittedAt: number; readonly origin: Origin } | null {
    return this.#begun.get(turn) ?? null
  }

  react({ at, decision, event, notices, record, settled, submission }: CommittedStep): void {
    const { fleet, meters } = this.#services
    if (submission !== null && event.type === "turn.submitted") this.#begin(event.turn, submission, at)
    const { agent, app } = record
    for (const { type } of decision.commands) {
      if (type !== "startProcess" && type !== "handPrompt") continue
      const begun = this.#begun.get(decision.next.context.turn)
      if (begun === undefined || begun.waitedMillis !== null) continue
      begun.waitedMillis = at - begun.submittedAt
      meters.waited(agent, begun.waitedMillis)
    }
    for (const { failure, status: outcome, turn } of settled) {
      const { submittedAt = at, waitedMillis = null } = this.#begun.get(turn) ?? {}
      if (turn === this.#compaction) this.#compaction = null
      this.#begun.delete(turn)
      fleet.add(app, agent, {
        outcomes: { [outcome]: 1 },
        duration: Tally.one(at - submittedAt),
        ...(failure === null || outcome === "interrupted" ? {} : { failures: { [failure.class]: 1 } }),
        ...(waitedMillis === null ? {} : { wait: Tally.one(waitedMillis) })
      })
      meters.ended({ outcome, agent, app, class: failure?.class ?? "", durationMillis: at - submittedAt })
    }
    for (const notice of notices) {
      if (notice._tag !== "TurnEnded") continue
      meters.used(agent, app, notice.usage)
      if (notice.usage.totalTokens > 0) fleet.add(app, agent, { tokens: notice.usage.totalTokens })
    }
  }

  #begin(turn: number, submission: Submission, submittedAt: number): void {
    const { content = null, context, kind = "prompt", origin = {}, prompt, settings = {} } = submission
    const givenContext = context?.text ?? null
    if (kind === "compact") this.#compaction = turn
    this.#begun.set(turn, {
      kind,
      prompt: promptOfTurn({ prompt, content, settings, givenContext }),
      submittedAt,
      origin,
      waitedMillis: null
    })
  }
}

export const make = Effect.fnUntraced(function* ({ openTurn, record: { id } }: Session) {
  const ledger = yield* Ledger
  const services = { ledger, meters: yield* turnMeters, fleet: yield* FleetCounts }
  const isCompaction = openTurn !== null && Option.getOrThrow(yield* ledger.turn(id, openTurn)).kind === "compact"
  return new OpenTurns(id, services, isCompaction ? openTurn : null)
})
