/** `GET sessions`, `rows`, `approvals` and `coverage`: what the caller sees of all sessions. */
import { Effect } from "effect"
import { stateInfo } from "../../../machines/session/stateInfo.ts"
import { Inspection } from "../../services/Inspection.ts"
import type { Caller, SessionsQuery } from "../../services/Inspection.ts"
import { InvalidRequest } from "../../domain/Refusal.ts"
import { SessionState } from "../../domain/Session.ts"
import type { Approvals, Coverage, Rows, SessionRows } from "../contract.ts"
import { approvalDto } from "../detail/dto.ts"
import { mostIds, outcomes, sorts } from "../client/rows.ts"
import { rowOf } from "../row.ts"
import { get, integerOf, routes } from "./route.ts"
import { cut } from "../../domain/cut.ts"

const rows = { least: 1, most: 500, otherwise: 100 }
const longestText = 200
/** No person looks through more; the page says that there are more. */
const mostApprovals = 500

const listParameters = "q state substate outcome meta agent app node sort order limit cursor".split(" ")

export const layer = routes(
  Effect.gen(function* () {
    const inspection = yield* Inspection

    const sessions = Effect.fnUntraced(function* (caller: Caller, query: URLSearchParams) {
      const overview = yield* inspection.overview(caller, {
        app: textOf(query, "app"),
        state: yield* oneOf(query, "state", SessionState.literals),
        substate: yield* oneOf(query, "substate", substates),
        outcome: yield* oneOf(query, "outcome", outcomes),
        meta: yield* metaOf(query),
        agent: textOf(query, "agent"),
        node: textOf(query, "node"),
        search: textOf(query, "q"),
        sort: (yield* oneOf(query, "sort", sorts)) ?? "activity",
        descending: (yield* oneOf(query, "order", ["desc", "asc"])) !== "asc",
        cursor: query.get("cursor"),
        limit: yield* integerOf(query, "limit", rows)
      })
      return {
        ok: true,
        count: overview.count,
        is_bounded: overview.isBounded,
        counts: overview.stateCounts,
        substates: overview.substateCounts,
        agents: overview.agents,
        apps: overview.apps,
        nodes: overview.nodes,
        sessions: overview.sessions.map(rowOf),
        next_cursor: overview.next
      } satisfies SessionRows
    })

    return [
      get("/sessions", ({ caller, query }) => sessions(caller, query), {
        query: listParameters
      }),
      get(
        "/rows",
        Effect.fnUntraced(function* ({ caller, query }) {
          const ids = (query.get("ids") ?? "").split(",").filter((id) => id !== "")
          if (ids.length > mostIds) {
            return yield* new InvalidRequest({ field: "ids", problem: `must be at most ${mostIds}.` })
          }
          const sessions = yield* inspection.rows(caller, ids)
          return { ok: true, sessions: sessions.map(rowOf) } satisfies Rows
        }),
        { query: ["ids"] }
      ),
      get(
        "/approvals",
        Effect.fnUntraced(function* ({ caller }) {
          const approvals = yield* inspection.pendingApprovals(caller, mostApprovals)
          const names = yield* inspection.names(approvals.map(({ session }) => session))
          return {
            ok: true,
            approvals: approvals.map((approval) => ({
              ...approvalDto(approval, approval),
              name: names.get(approval.session) ?? approval.session
            }))
          } satisfies Approvals
        })
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

const substates = Object.keys(stateInfo)

/** `null` where it is absent. */
const oneOf = <A extends string>(
  query: URLSearchParams,
  name: string,
  words: ReadonlyArray<A>
): Effect.Effect<A | null, InvalidRequest> => {
  const text = textOf(query, name)
  const word = words.find((each) => each === text)
  return text === null || word !== undefined
    ? Effect.succeed(word ?? null)
    : Effect.fail(new InvalidRequest({ field: name, problem: `must be one of ${words.join(", ")}.` }))
}

/** `key=value`; the value may have a `=`, too. */
const metaOf = (query: URLSearchParams): Effect.Effect<SessionsQuery["meta"], InvalidRequest> => {
  const text = textOf(query, "meta")
  if (text === null) return Effect.succeed(null)
  const at = text.indexOf("=")
  return at > 0
    ? Effect.succeed({ key: text.slice(0, at), value: text.slice(at + 1) })
    : Effect.fail(new InvalidRequest({ field: "meta", problem: "must be a name and a value, as in team=red." }))
}
