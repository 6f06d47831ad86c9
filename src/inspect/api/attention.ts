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
        Effect.gen(function* () {
          const { found, isCut } = yield* inspection.attention(caller)
          const names = yield* inspection.names(found.flatMap(({ situation }) => sessionIn(situation) ?? []))
          const items = found.map((attention) => itemOf(attention, caller, names))
          return { ok: true, items, is_cut: isCut } satisfies Attentions
        })
      )
    ]
  })
)

const sessionIn = (situation: Attention["situation"]) => ("session" in situation ? situation.session : null)

const itemOf = (
  { kind, since, situation, what }: Attention,
  caller: Caller,
  names: ReadonlyMap<string, string>
): AttentionItem => {
  const session = situation._tag === "CircuitOpen" ? null : situation
  return {
    key: `${kind} ${session?.session ?? situation.agent} ${since ?? ""}`,
    kind,
    session_id: session?.session ?? null,
    name: session === null ? null : (names.get(session.session) ?? session.session),
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
