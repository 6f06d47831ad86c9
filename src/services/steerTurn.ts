/**
 * Words for a turn that runs.
 *
 * Not an event of the machine: steering changes no state, and nothing is owed of it after a crash. It goes straight to
 * the hands, who steers waits for the answer, and the audit trail has who it was (the words are in the turn's messages).
 */
import { Clock, Effect } from "effect"
import { InvalidRequest, NotSupported, NoTurn, SessionClosed, Unavailable } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import { nameOf } from "../session/Step.ts"
import { Supervisor } from "../supervision/Supervisor.ts"

/** Where an agent is at a turn and nobody has asked it to stop. */
const steerable: ReadonlySet<string> = new Set(["turning.running", "turning.asking"])

const outcomes = { Steered: "steered", NoTurn: "no_turn", NotSupported: "not_supported", Failed: "failed" } as const

export const make = Effect.gen(function* () {
  const commandHandler = yield* CommandHandler
  const ledger = yield* Ledger
  const supervisor = yield* Supervisor

  return Effect.fnUntraced(function* (record: SessionRecord, text: string, by: string) {
    const { app, id, state } = record
    if (state === "closed") return yield* new SessionClosed({ id })
    if (text.trim() === "") return yield* new InvalidRequest({ field: "text", problem: "must hold something to say." })
    const snapshot = supervisor.handle(id)?.snapshot ?? null
    if (snapshot === null || !steerable.has(nameOf(snapshot))) return yield* new NoTurn({ id })
    const { turn } = snapshot.context
    const came = yield* commandHandler.steer(id, text)
    const at = yield* Clock.currentTimeMillis
    const detail = { turn, characters: text.length, outcome: outcomes[came._tag] }
    yield* ledger.writeLater([
      { _tag: "Audited", record: { at, session: id, app, action: "steer", actor: by, detail } }
    ])
    switch (came._tag) {
      case "Steered":
        return
      case "NoTurn":
        return yield* new NoTurn({ id })
      case "NotSupported":
        return yield* new NotSupported({ problem: came.problem })
      case "Failed":
        return yield* new Unavailable({ operation: "steer the turn", cause: came.problem })
      default:
        return came satisfies never
    }
  })
})
