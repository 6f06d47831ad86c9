/**
 * Sends a turn that did not come out well once more: the same prompt with the same settings, as the session's next turn. The
 * turn that it repeats is in the new one's submission, so that it is repeated once, however often somebody presses.
 */
import { Effect, Option } from "effect"
import { Agents } from "../agent/Agents.ts"
import { IdempotencyConflict, InvalidRequest, NotSupported, TurnNotFound } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { hasNotWorked } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { findSession, nameOfCaller } from "../runtime/Caller.ts"
import type { Caller } from "../runtime/Caller.ts"
import { cannot } from "../runtime/errors.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import * as Transcript from "../runtime/Transcript.ts"
import type * as AcceptTurn from "./acceptTurn.ts"
import { checkTurnSettings } from "./checkTurnSettings.ts"
import { named, resendOf } from "./submission.ts"

export const make = Effect.fnUntraced(function* ({
  admit,
  begin,
  known
}: Pick<Effect.Success<typeof AcceptTurn.make>, "admit" | "begin" | "known">) {
  const agents = yield* Agents
  const ledger = yield* Ledger
  const { limits } = yield* RuntimeSettings
  const transcript = yield* Transcript.make

  const repeatable = Effect.fnUntraced(function* (record: SessionRecord, index: number) {
    const turn = Option.getOrUndefined(yield* ledger.turn(record.id, index))
    if (turn === undefined) return yield* new TurnNotFound({ index })
    if (turn.kind !== "prompt" || !hasNotWorked(turn.status)) {
      const problem = `must be a turn that failed, timed out or was interrupted. Turn ${index} is ${turn.kind === "prompt" ? turn.status : "a compaction"}.`
      return yield* new InvalidRequest({ field: "turn", problem })
    }
    // What was given in front of it is no longer known message by message.
    if (turn.givenContext !== null && !(yield* transcript.resultOfTurn(turn)).handed)
      return yield* new NotSupported({
        problem: `Turn ${index} came with earlier messages of its app, which no agent has got. Have the app send it again, with its messages.`
      })
    return turn
  })

  return Effect.fn("Sessions.resend")(
    function* (caller: Caller, id: string, index: number) {
      const record = yield* findSession(ledger, caller, id)
      const by = nameOfCaller(caller)
      const name = resendOf(index)
      const before = yield* known(record, name, by)
      if (before !== null) return before
      yield* admit(record)
      const { content, prompt, settings } = yield* repeatable(record, index)
      // The agent may be another by now.
      yield* checkTurnSettings(agents, record, settings)
      const timeoutMillis = limits.turnTimeoutMillis
      return yield* begin(record, { prompt, content, settings, timeoutMillis, queue: true, ...named(name) }, by)
    },
    // An app may have given a turn of its own that name.
    Effect.catchTag("SubmissionConflict", ({ submission: key }) => Effect.fail(new IdempotencyConflict({ key }))),
    cannot("send the turn again")
  )
})
