/** Adds words to a turn that runs, where they can be added. */
import { Effect } from "effect"
import { Agents } from "../agent/Agents.ts"
import { InvalidRequest, NotSupported, NoTurn, SessionClosed, Unavailable } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { SessionHost } from "../supervision/SessionHost.ts"
import { checkPrompt } from "./checkPrompt.ts"
import { checkStorable } from "./checkStorable.ts"

export const make = Effect.gen(function* () {
  const agents = yield* Agents
  const host = yield* SessionHost

  return Effect.fnUntraced(function* (record: SessionRecord, text: string, by: string) {
    const { closedAt, id } = record
    if (closedAt !== null) return yield* new SessionClosed({ id })
    if (text.trim() === "") return yield* new InvalidRequest({ field: "text", problem: "must hold something to say." })
    yield* checkStorable({ text })
    yield* checkPrompt(agents, record, "text", text)
    const outcome = yield* host.steer({ session: id, by, text })
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
