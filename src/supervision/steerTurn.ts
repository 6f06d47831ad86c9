/**
 * Adds words to a turn that runs.
 *
 * Not an event of the machine: steering changes no state, and a crash leaves nothing of it to do again. It goes straight
 * to the command handler, the caller waits for the answer, and the audit trail has who it was. The words themselves are
 * among the turn's messages.
 */
import { Clock, Effect } from "effect"
import { Ledger } from "../ledger/Ledger.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import type { SteerOutcome } from "../session/CommandHandler.ts"
import type { SessionMessages } from "./sessionMessages.ts"
import { Supervisor } from "./Supervisor.ts"

const outcomes = { Steered: "steered", NoTurn: "no_turn", NotSupported: "not_supported", Failed: "failed" } as const

export const make = Effect.gen(function* () {
  const commandHandler = yield* CommandHandler
  const ledger = yield* Ledger
  const supervisor = yield* Supervisor

  return Effect.fnUntraced(function* ({ by, session, text }: SessionMessages["steer"]["request"]["Type"]) {
    const loaded = supervisor.view(session)
    if (loaded === null || !loaded.snapshot.hasTag("steerable")) return { _tag: "NoTurn" } satisfies SteerOutcome
    const { app } = loaded.record
    const { turn } = loaded.snapshot.context
    const outcome = yield* commandHandler.steer(session, text)
    const at = yield* Clock.currentTimeMillis
    const detail = { turn, characters: text.length, outcome: outcomes[outcome._tag] }
    yield* ledger.writeLater([{ _tag: "Audited", record: { at, session, app, action: "steer", actor: by, detail } }])
    return outcome
  })
})
