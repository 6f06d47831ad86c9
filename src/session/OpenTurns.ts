/** The turns that have no outcome yet: what to hand to the agent. */
import { Effect, Option } from "effect"
import type { Origin } from "../domain/Origin.ts"
import { promptOfTurn } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError, SubmittedTurn } from "../ledger/Ledger.ts"
import * as Tally from "../domain/Tally.ts"
import { FleetCounts } from "../runtime/FleetCounts.ts"
import * as Metrics from "../runtime/Metrics.ts"
import type { CommittedStep } from "./commit.ts"
import type { TurnPrompt } from "./CommandHandler.ts"
import { isSubmission } from "./Envelope.ts"
import type { Envelope } from "./Envelope.ts"
import type { Session } from "./Session.ts"

export interface OpenTurns {
  /** From memory, or from the ledger where the turn was accepted before this actor ran. */
  readonly promptOf: (turn: number) => Effect.Effect<TurnPrompt>
  /** The turn of a submission that has come before; `null`: it is new. Only what may have come before is looked for. */
  readonly knownBy: (envelope: Envelope) => Effect.Effect<SubmittedTurn | null, LedgerError>
  /** The open turn, where it is a compaction: that never waits in line. */
  readonly compaction: () => number | null
  /** What only this actor's memory has of it; `null`: it was accepted before this actor ran. */
  readonly begun: (turn: number) => { readonly submittedAt: number; readonly origin: Origin } | null
  readonly react: (committed: CommittedStep) => void
}

export const make = Effect.fnUntraced(function* ({ openTurn, record: { id } }: Session) {
  const ledger = yield* Ledger
  const meters = yield* Metrics.turnMeters
  const fleet = yield* FleetCounts
  let compaction: number | null = null
  if (openTurn !== null && Option.getOrThrow(yield* ledger.turn(id, openTurn)).kind === "compact") compaction = openTurn
  const prompts = new Map<number, TurnPrompt & { readonly submittedAt: number; readonly origin: Origin }>()
  /** Of turns that have, or are getting, a process: how long they waited for it. */
  const served = new Map<number, number>()

  const openTurns: OpenTurns = {
    promptOf: (turn) => {
      const prompt = prompts.get(turn)
      if (prompt !== undefined) return Effect.succeed(prompt)
      return Effect.map(Effect.orDie(ledger.turn(id, turn)), (row) => {
        const stored = Option.getOrThrow(row)
        return { kind: stored.kind, prompt: promptOfTurn(stored) }
      })
    },
    knownBy: ({ event }) =>
      event !== "wake" && isSubmission(event) && event.name !== undefined && event.mayBeKnown === true
        ? Effect.map(ledger.turnOfSubmission(id, event.name.id), Option.getOrNull)
        : Effect.succeed(null),
    compaction: () => compaction,
    begun: (turn) => prompts.get(turn) ?? null,
    react: ({ at, decision, event, notices, record, settled, submission }) => {
      if (submission !== null && event.type === "turn.submitted") {
        const { content = null, context, kind = "prompt", origin = {}, prompt, settings = {} } = submission
        const givenContext = context?.text ?? null
        if (kind === "compact") compaction = event.turn
        prompts.set(event.turn, {
          kind,
          prompt: promptOfTurn({ prompt, content, settings, givenContext }),
          submittedAt: at,
          origin
        })
      }
      const { agent, app } = record
      for (const { type } of decision.commands) {
        if (type !== "startProcess" && type !== "handPrompt") continue
        const { turn } = decision.next.context
        const begun = prompts.get(turn)
        if (begun === undefined || served.has(turn)) continue
        served.set(turn, at - begun.submittedAt)
        meters.waited(agent, at - begun.submittedAt)
      }
      for (const { failure, status: outcome, turn } of settled) {
        const submittedAt = prompts.get(turn)?.submittedAt ?? at
        if (turn === compaction) compaction = null
        prompts.delete(turn)
        fleet.add(app, agent, {
          outcomes: { [outcome]: 1 },
          duration: Tally.one(at - submittedAt),
          ...(failure === null || outcome === "interrupted" ? {} : { failures: { [failure.class]: 1 } }),
          ...(served.has(turn) ? { wait: Tally.one(served.get(turn) ?? 0) } : {})
        })
        served.delete(turn)
        meters.ended({ outcome, agent, app, class: failure?.class ?? "", durationMillis: at - submittedAt })
      }
      for (const notice of notices) {
        if (notice._tag !== "TurnEnded") continue
        meters.used(agent, app, notice.usage)
        if (notice.usage.totalTokens > 0) fleet.add(app, agent, { tokens: notice.usage.totalTokens })
      }
    }
  }
  return openTurns
})
