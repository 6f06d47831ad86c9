/** `GET attention`: what needs a person, as the rules of `domain/attention.ts` say. */
import { Effect } from "effect"
import type { Attention } from "../../domain/attention.ts"
import { Inspection } from "../../services/Inspection.ts"
import type { Caller } from "../../services/Inspection.ts"
import type { AttentionAction, AttentionItem, Attentions } from "../fleetContract.ts"
import { get, routes } from "./route.ts"

export const layer = routes(
  Effect.gen(function* () {
    const inspection = yield* Inspection
    return [
      get("/attention", ({ caller }) =>
        Effect.map(inspection.attention(caller), ({ found, isCut }): Attentions => ({
          ok: true,
          items: found.map((attention) => itemOf(attention, caller)),
          is_cut: isCut
        }))
      )
    ]
  })
)

const itemOf = ({ kind, since, situation, what }: Attention, caller: Caller): AttentionItem => {
  const session = situation._tag === "CircuitOpen" ? null : situation
  return {
    key: `${kind} ${session?.session ?? situation.agent} ${since ?? ""}`,
    kind,
    session_id: session?.session ?? null,
    app: session?.app ?? null,
    agent: situation.agent,
    turn: session?.turn ?? null,
    since: since === null ? null : since / 1000,
    what,
    until: "until" in situation && situation.until !== null ? situation.until / 1000 : null,
    approval_id: situation._tag === "Asked" ? situation.approval : null,
    actions: actionsOf(situation, caller)
  }
}

const actionsOf = (situation: Attention["situation"], caller: Caller): ReadonlyArray<AttentionAction> => {
  switch (situation._tag) {
    case "Asked":
      return situation.isQuestion ? ["answer"] : ["allow", "deny"]
    case "Parked":
      return caller._tag === "Admin" ? ["unpark", "close"] : ["close"]
    case "AtWork":
    case "Queued":
      return ["interrupt"]
    case "Failed":
      return ["close"]
    case "CircuitOpen":
      return []
    default:
      return situation satisfies never
  }
}
