/** `GET sessions`, `approvals` and `coverage`: what the caller sees of all sessions. */
import { Effect, Schema } from "effect"
import { Inspection } from "../../services/Inspection.ts"
import type { Caller } from "../../services/Inspection.ts"
import { InvalidRequest } from "../../domain/Refusal.ts"
import { SessionState } from "../../domain/Session.ts"
import type { Approvals, Coverage, SessionRows } from "../contract.ts"
import { approvalDto } from "../detail/dto.ts"
import { rowOf } from "../row.ts"
import { get, integerOf, routes } from "./route.ts"
import { cut } from "../../domain/cut.ts"

const rows = { least: 1, most: 500, otherwise: 100 }
const longestText = 200
/** No person looks through more; the page says that there are more. */
const mostApprovals = 500

export const layer = routes(
  Effect.gen(function* () {
    const inspection = yield* Inspection

    const sessions = Effect.fnUntraced(function* (caller: Caller, query: URLSearchParams) {
      const overview = yield* inspection.overview(caller, {
        app: textOf(query, "app"),
        state: yield* stateOf(query),
        agent: textOf(query, "agent"),
        node: textOf(query, "node"),
        search: textOf(query, "q"),
        cursor: query.get("cursor"),
        limit: yield* integerOf(query, "limit", rows)
      })
      return {
        ok: true,
        count: overview.count,
        counts: overview.stateCounts,
        agents: overview.agents,
        apps: overview.apps,
        nodes: overview.nodes,
        sessions: overview.sessions.map(rowOf),
        next_cursor: overview.next
      } satisfies SessionRows
    })

    return [
      get("/sessions", ({ caller, query }) => sessions(caller, query), {
        query: ["q", "state", "agent", "app", "node", "limit", "cursor"]
      }),
      get("/approvals", ({ caller }) =>
        Effect.map(inspection.pendingApprovals(caller, mostApprovals), (approvals): Approvals => ({
          ok: true,
          approvals: approvals.map((approval) => approvalDto(approval, approval))
        }))
      ),
      get(
        "/coverage",
        ({ caller, query }) =>
          Effect.map(inspection.transitionCounts(caller, textOf(query, "agent")), (counts): Coverage => ({
            ok: true,
            taken: counts
          })),
        { query: ["agent"] }
      )
    ]
  })
)

/** `null` where it is absent, or empty, as a form sends a field that was left blank. */
const textOf = (query: URLSearchParams, name: string): string | null => {
  const text = cut(query.get(name)?.trim() ?? "", longestText)
  return text === "" ? null : text
}

const isState = Schema.is(SessionState)

const stateOf = (query: URLSearchParams): Effect.Effect<SessionState | null, InvalidRequest> => {
  const state = textOf(query, "state")
  return state === null || isState(state)
    ? Effect.succeed(state)
    : Effect.fail(
        new InvalidRequest({ field: "state", problem: `must be one of ${SessionState.literals.join(", ")}.` })
      )
}
