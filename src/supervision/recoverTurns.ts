/**
 * Asks an agent that takes a conversation up again whether it finished the turns that were lost with its last process, or
 * with Troupe: it may have gone on while Troupe was stopped. What it finished is stored as an addendum to the turn, once.
 */
import { Cause, Clock, Effect, Option } from "effect"
import type { AgentConnection } from "../agent/Agent.ts"
import { recoveredMessage } from "../conversation/recovered.ts"
import { resultOf } from "../conversation/turnResult.ts"
import { promptOfTurn } from "../domain/Turn.ts"
import type { FailureClass, TurnRecord } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { SessionPort } from "../session/CommandHandler.ts"

/** The newest turns that are looked at. Those before one that was completed are no question any more. */
const turnsLookedAt = 8

/** It delays the turn for which the agent was started, and is given up after this. */
const recoverWithin = "5 seconds"

/** The failures of a turn after which the agent may have gone on. */
const endUnknown: ReadonlySet<FailureClass> = new Set(["outcome_unknown", "crash", "protocol", "timeout"])

const isLost = ({ failure, kind }: TurnRecord): boolean =>
  kind === "prompt" && failure !== null && endUnknown.has(failure.class)

export const make = Effect.gen(function* () {
  const ledger = yield* Ledger

  const messagesOf = ({ index, session }: TurnRecord) =>
    Effect.map(ledger.eventsOfTurn(session, index), (events) => events.map(({ message }) => message))

  /** Oldest first. */
  const lostTurns = Effect.fnUntraced(function* (recent: ReadonlyArray<TurnRecord>, thread: string) {
    const lost: Array<TurnRecord> = []
    for (const turn of recent.toReversed()) {
      if (turn.status === "completed") break
      if (!isLost(turn) || turn.threadId !== thread) continue
      const { handed, recovered } = resultOf(turn, yield* messagesOf(turn))
      if (handed && recovered === null) lost.unshift(turn)
    }
    return lost
  })

  const recover = Effect.fnUntraced(function* (
    port: SessionPort,
    { recover: ask, thread }: Pick<AgentConnection, "recover" | "thread">
  ) {
    if (ask === undefined) return
    const { id, turnCount } = port.record()
    const recent = yield* ledger.turns(id, Math.max(0, turnCount - turnsLookedAt), turnsLookedAt)
    const lost = yield* lostTurns(recent, thread)
    if (lost.length === 0) return
    const recovered = yield* ask({
      turns: lost.map((turn) => ({ turn: turn.index, agentTurnId: turn.agentTurnId, prompt: promptOfTurn(turn).text })),
      otherIds: new Set(recent.flatMap(({ agentTurnId }) => agentTurnId ?? []))
    })
    const at = yield* Clock.currentTimeMillis
    for (const { stopReason, turn: index, updates } of recovered) {
      const turn = lost.find((candidate) => candidate.index === index)
      if (turn !== undefined) yield* port.append(index, recoveredMessage(turn, updates, stopReason, at))
    }
  })

  /** Never fails and never takes long: the agent starts without the answer. */
  return (port: SessionPort, connection: Pick<AgentConnection, "recover" | "thread">): Effect.Effect<void> =>
    recover(port, connection).pipe(
      Effect.timeoutOption(recoverWithin),
      Effect.tap((outcome) =>
        Option.isNone(outcome)
          ? Effect.logWarning("The agent did not say in time which lost turns it finished")
          : Effect.void
      ),
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.interrupt
          : Effect.logWarning("The agent could not say which lost turns it finished", cause)
      ),
      Effect.asVoid
    )
})
