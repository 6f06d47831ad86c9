/**
 * Adds words to a turn that runs.
 *
 * Not an event of the machine: steering changes no state, and a crash leaves nothing of it to do again. It goes straight
 * to the command handler, the caller waits for the answer, and the audit trail has who it was. The words themselves are
 * among the turn's messages.
 */
import { Clock, Effect } from "effect"
import { Agents } from "../agent/Agents.ts"
import { InvalidRequest, NotSupported, NoTurn, SessionClosed, Unavailable } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import { Supervisor } from "../supervision/Supervisor.ts"
import { checkPrompt } from "./checkPrompt.ts"
import { checkStorable } from "./checkStorable.ts"

const outcomes = { Steered: "steered", NoTurn: "no_turn", NotSupported: "not_supported", Failed: "failed" } as const

export const make = Effect.gen(function* () {
  const agents = yield* Agents
  const commandHandler = yield* CommandHandler
  const ledger = yield* Ledger
  const supervisor = yield* Supervisor

  return Effect.fnUntraced(function* (record: SessionRecord, text: string, by: string) {
    const { app, closedAt, id } = record
    if (closedAt !== null) return yield* new SessionClosed({ id })
    if (text.trim() === "") return yield* new InvalidRequest({ field: "text", problem: "must hold something to say." })
    yield* checkStorable({ text })
    yield* checkPrompt(agents, record, "text", text)
    const snapshot = supervisor.view(id)?.snapshot
    if (snapshot === undefined || !snapshot.hasTag("steerable")) return yield* new NoTurn({ id })
    const { turn } = snapshot.context
    const outcome = yield* commandHandler.steer(id, text)
    const at = yield* Clock.currentTimeMillis
    const detail = { turn, characters: text.length, outcome: outcomes[outcome._tag] }
    yield* ledger.writeLater([
      { _tag: "Audited", record: { at, session: id, app, action: "steer", actor: by, detail } }
    ])
    switch (outcome._tag) {
      case "Steered":
        return
      case "NoTurn":
        return yield* new NoTurn({ id })
      case "NotSupported":
        return yield* new NotSupported({ problem: outcome.problem })
      case "Failed":
        return yield* new Unavailable({ operation: "steer the turn", cause: outcome.problem })
      default:
        return outcome satisfies never
    }
  })
})
