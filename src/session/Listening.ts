/**
 * What is heard of an agent besides being recorded: signs of life for the watchdog, the word that a turn was aborted, and
 * a tool call that ends after its turn.
 */
import { Effect } from "effect"
import type { AcpMessage } from "../domain/Acp.ts"
import type { SessionId } from "../domain/Ids.ts"
import * as AbortWatch from "./AbortWatch.ts"
import type { SessionTimers } from "./SessionTimers.ts"
import * as Hearing from "./interpret.ts"
import type { Journal } from "./Journal.ts"
import * as ToolCount from "../runtime/ToolCount.ts"
import * as Watchdog from "./TurnWatch.ts"

export const make = Effect.fnUntraced(function* (
  session: SessionId,
  timers: SessionTimers,
  journal: Journal,
  quietMillis: number
) {
  const count = yield* ToolCount.make
  const scope = yield* Effect.scope
  const abort = AbortWatch.make(timers)
  const watchdog = Watchdog.make(timers, quietMillis)
  const hear = yield* Hearing.make(session, journal.flush, abort.suspects)

  /** Beside the agent's reader, which has more to read. */
  const recount = (turn: number) =>
    journal.flush.pipe(
      Effect.andThen(count(session, turn)),
      Effect.catchCause((cause) => Effect.logWarning("A tool call that ended late could not be counted", cause)),
      Effect.forkIn(scope)
    )

  return {
    /** `running`: the turn that the agent is at, if it is at one. */
    heard: Effect.fnUntraced(function* (turn: number | null, message: AcpMessage, running: number | null) {
      const current = turn !== null && turn === running
      yield* watchdog.heard(message, current)
      if (current) yield* abort.heard(turn, message)
      else if (turn !== null && Watchdog.endsTool(message)) yield* recount(turn)
    }),
    hear,
    hold: watchdog.hold,
    /** The running turn is over. */
    rest: () => {
      abort.rest()
      watchdog.rest()
    }
  } as const
})
