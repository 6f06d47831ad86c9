/** The filters and sorts of the overview, as SQL: which sessions are looked at, which of them match, and by what they are sorted. */
import type { OverviewQuery, SessionSort } from "../../LedgerQuery.ts"
import type { SqlValue } from "../Database.ts"
import type { Dialect } from "../Dialect.ts"
import { atWork } from "./counts.ts"
import { sinceOf } from "./summaries.ts"

export interface Fragment {
  readonly text: string
  readonly params: ReadonlyArray<SqlValue>
}

export const and = (conditions: ReadonlyArray<Fragment>): Fragment => ({
  text: conditions.map(({ text }) => text).join(" AND "),
  params: conditions.flatMap(({ params }) => params)
})

/** Where a page ended: the value that it is sorted by, and the id of its last session. */
export interface Position {
  readonly rank: number
  readonly id: string
}

/** The words for what is sorted the other way around. */
export const directionOf = ({ descending }: Pick<OverviewQuery, "descending">) =>
  descending ? { order: "DESC", beyond: "<" } : { order: "ASC", beyond: ">" }

interface Kind {
  readonly by: "last_activity_at" | "closed_at"
  readonly is: string
  /** Of sessions that do not sleep there are few, and SQLite has no statistics that tell it. */
  readonly isRare?: true
}

/** The conditions are in the words of the partial indexes: only then SQLite uses them. */
const kindsOf = ({ state, substate }: OverviewQuery): ReadonlyArray<Kind> => {
  const open = (is: string): Kind => ({ by: "last_activity_at", is })
  const closed: Kind = { by: "closed_at", is: "closed_at IS NOT NULL" }
  if (state === "closed" || substate === "closed") return [closed]
  if (substate === "idle.asleep") return [open("closed_at IS NULL AND substate = 'idle.asleep'")]
  if (state === "turning" || state === "retiring")
    return [{ ...open(`${atWork} AND state = '${state}'`), isRare: true }]
  if (substate !== null) return [{ ...open("closed_at IS NULL AND substate <> 'idle.asleep'"), isRare: true }]
  if (state === "idle") return [open("closed_at IS NULL AND state = 'idle'")]
  return [open("closed_at IS NULL"), closed]
}

/**
 * The first `limit` open and the first `limit` closed sessions after a position, each in the order of its index: the last active
 * ones, or where the list is sorted so the others first.
 */
export const lastActive = (
  { usingIndex, withoutIndex }: Dialect,
  query: OverviewQuery,
  after: Position | null,
  limit: number,
  more: ReadonlyArray<string> = []
): Fragment => {
  const { beyond, order } = directionOf({ descending: query.sort !== "activity" || query.descending })
  const { app, state, substate } = query
  const parts = kindsOf(query).map(({ by, is, isRare }): Fragment => {
    const among = and([
      { text: is, params: [] },
      ...(state === null || substate === null ? [] : [{ text: "state = ?", params: [state] }]),
      ...(substate === null ? [] : [{ text: "substate = ?", params: [substate] }]),
      // The index in their order has the app, too; that by app would have all of its sessions sorted.
      ...(app === null ? [] : [{ text: `${withoutIndex("app")} = ?`, params: [app] }]),
      ...(after === null ? [] : [{ text: `(${by}, id) ${beyond} (?, ?)`, params: [after.rank, after.id] }])
    ])
    const columns = ["id", `${by} AS at`, "app", "agent", "substate", "owner", ...more]
    return {
      text: `SELECT * FROM (SELECT ${columns.join(", ")} FROM sessions${isRare === true ? usingIndex("sessions_restless") : ""}
        WHERE ${among.text} ORDER BY ${by} ${order}, id ${order} LIMIT ?) AS ${by}_first`,
      params: [...among.params, limit]
    }
  })
  return {
    text: parts.map(({ text }) => text).join(" UNION ALL "),
    params: parts.flatMap(({ params }) => params)
  }
}

interface Rank {
  readonly of: (dialect: Dialect) => string
  /** Columns of the session that it needs. */
  readonly needs: ReadonlyArray<string>
}

/** A session that has been in its substate for longer comes first, and so what is older has the higher rank. */
export const ranks: Readonly<Record<SessionSort, Rank>> = {
  activity: { of: () => "at", needs: [] },
  created: { of: () => "created_at", needs: ["created_at"] },
  state: { of: () => `-coalesce(${sinceOf("active.id")}, created_at)`, needs: ["created_at"] },
  outcome: { of: ({ jsonCount }) => jsonCount("last_outcome", "at"), needs: ["last_outcome"] },
  // Of several currencies the sum says little, and sessions with several are rare.
  cost: { of: () => "(SELECT sum(amount) FROM costs WHERE session = active.id)", needs: [] },
  turns: { of: () => "turn_count", needs: ["turn_count"] }
}

/** Of what has no value: behind all others, in both directions. */
const without = ({ descending }: OverviewQuery) => (descending ? "-1e18" : "1e18")

export const rankOf = (dialect: Dialect, query: OverviewQuery): string =>
  `CAST(coalesce(${ranks[query.sort].of(dialect)}, ${without(query)}) AS double precision)`

/** Upper and lower case of ASCII letters are the same, as `lower` has it in both databases. */
const lowerCase = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

/** What no index decides; `null`: all match. */
export const matching = (
  { jsonMember, jsonText, position }: Dialect,
  { agent, meta, node, outcome, search }: OverviewQuery
): Fragment | null => {
  const ofRequest = (condition: string) => `EXISTS (SELECT 1 FROM session_requests WHERE session = id AND ${condition})`
  // Most have no title, and to look for it costs more than all else.
  const title = `CASE WHEN ${position("meta", "'\"title\"'")} > 0 THEN coalesce(${jsonText("meta", "title")}, '') ELSE '' END`
  const texts = `lower(cwd || ' ' || coalesce(model, '') || ' ' || coalesce(opening, '') || ' ' || ${title})`
  const conditions = [
    ...(agent === null ? [] : [{ text: "agent = ?", params: [agent] }]),
    ...(node === null
      ? []
      : [{ text: "owner IN (SELECT token FROM nodes WHERE name = ? AND lease_until > 0)", params: [node] }]),
    ...(outcome === null ? [] : [{ text: `${jsonText("last_outcome", "status")} = ?`, params: [outcome] }]),
    ...(meta === null ? [] : [{ text: ofRequest(`${jsonMember("meta")} = ?`), params: [meta.key, meta.value] }]),
    ...(search === null
      ? []
      : [
          {
            text: `(${position("lower(id || ' ' || app || ' ' || agent || ' ' || substate)", "?")} > 0
              OR ${ofRequest(`${position(texts, "?")} > 0`)})`,
            params: [lowerCase(search), lowerCase(search)]
          }
        ])
  ]
  return conditions.length === 0 ? null : and(conditions)
}

/** Columns of a session that the filters need besides those that are always there. */
export const neededBy = ({ outcome, sort }: OverviewQuery): ReadonlyArray<string> => [
  ...new Set([...ranks[sort].needs, ...(outcome === null ? [] : ["last_outcome"])])
]
