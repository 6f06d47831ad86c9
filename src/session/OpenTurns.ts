/** The turns that were accepted while this actor runs: what to hand to the agent, and those who wait for an outcome. */
import { Deferred, Effect, Option } from "effect"
import { Ledger } from "../ledger/Ledger.ts"
import * as Metrics from "../runtime/Metrics.ts"
import type { CommittedStep } from "./commit.ts"
import type { TurnPrompt } from "./CommandHandler.ts"
import type { SessionHandle } from "./SessionHandle.ts"

export interface OpenTurns {
  /** From memory, or from the ledger where the turn was accepted before this actor ran. */
  readonly promptOf: (turn: number) => Effect.Effect<TurnPrompt>
  readonly react: (committed: CommittedStep) => Effect.Effect<void>
}

export const make = Effect.fnUntraced(function* ({ id, outcomes }: SessionHandle) {
  const ledger = yield* Ledger
  const prompts = new Map<number, TurnPrompt & { readonly submittedAt: number }>()

  /** Those who wait for a turn continue after its outcome is stored. */
  const settle = (turn: number) => {
    const outcome = outcomes.get(turn)
    outcomes.delete(turn)
    prompts.delete(turn)
    if (outcome !== undefined) Deferred.doneUnsafe(outcome, Effect.void)
  }

  const openTurns: OpenTurns = {
    promptOf: (turn) =>
      Effect.suspend((): Effect.Effect<TurnPrompt> => {
        const prompt = prompts.get(turn)
        if (prompt !== undefined) return Effect.succeed(prompt)
        return Effect.map(Effect.orDie(ledger.turn(id, turn)), Option.getOrThrow)
      }),
    react: Effect.fnUntraced(function* ({ at, event, record, settled, submission }) {
      if (submission !== null && event.type === "turn.submitted") {
        const { kind = "prompt", prompt } = submission
        prompts.set(event.turn, { kind, prompt, submittedAt: at })
        outcomes.set(event.turn, Deferred.makeUnsafe())
      }
      for (const { status, turn } of settled) {
        const submittedAt = prompts.get(turn)?.submittedAt ?? at
        settle(turn)
        yield* Metrics.turnEnded({ outcome: status, agent: record.agent, durationMillis: at - submittedAt })
      }
    })
  }
  return openTurns
})
