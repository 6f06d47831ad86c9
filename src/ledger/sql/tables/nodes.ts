/**
 * Nodes and what they own. A row of `sessions` names its owner, and nothing else decides: a node that was declared dead still
 * owns its sessions until another claims them. Who declares when is in `runtime/deadNodes.ts`.
 *
 * All times are the database's own, because the clocks of nodes differ.
 */
import { Effect, Option } from "effect"
import type { NodeToken, SessionId } from "../../../domain/Ids.ts"
import type {
  Claim,
  ClaimRecord,
  LedgerWrite,
  NodeLoad,
  NodePlace,
  NodeRecord,
  NodeStatus,
  OwnerBefore
} from "../../LedgerWrite.ts"
import type { Database, Write } from "../Database.ts"
import type { Dialect } from "../Dialect.ts"
import { flag, json, readableJson } from "./columns.ts"

type Entry<Tag extends LedgerWrite["_tag"]> = Extract<LedgerWrite, { readonly _tag: Tag }>

/** Of nodes that are gone: they are kept for a day, for who looks what happened. */
const keptMillis = 86_400_000

/** Of a row of `nodes`. */
export const isLiving = ({ now }: Dialect) => `(lease_until IS NULL OR lease_until > ${now})`

/** A lease that ended so long ago was ended by its node. */
const leftAt = 0

/** Of a row of `nodes`: what it owns is its own. */
export const isThere = `(lease_until IS NULL OR lease_until > ${leftAt}) AND dead = 0`

/** Whether a node owns the session of the row that has neither left nor was declared dead. */
export const isOwned = `EXISTS (SELECT 1 FROM nodes WHERE nodes.token = sessions.owner AND ${isThere})`

export const joined = (dialect: Dialect, { leaseMillis, node, place }: Entry<"NodeJoined">): ReadonlyArray<Write> => {
  const { chart = 1, name, token, url, version } = node
  const { now } = dialect
  const columns = "token, name, url, version, chart_version, schema_version, place, joined_at, lease_until, draining"
  if (leaseMillis === null) {
    return [
      { text: "DELETE FROM nodes", params: [] },
      {
        text: `INSERT INTO nodes (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ${now}, NULL, 0)`,
        params: [token, name, url, version, chart, dialect.schemaVersion, place ?? null]
      }
    ]
  }
  return [
    // Two may join under one name at once, and neither sees the other.
    { text: dialect.lock, params: ["nodes"], failIfNoRow: "another node joins it" },
    // A node without a lease holds the ledger's lock while it lives, so that none is there where others may join.
    { text: `DELETE FROM nodes WHERE lease_until IS NULL OR lease_until < ${now} - ?`, params: [keptMillis] },
    {
      text: `INSERT INTO nodes (${columns})
        SELECT ?, ?, ?, ?, ?, ?, ?, ${now}, ${now} + ?, 0
        WHERE NOT EXISTS (SELECT 1 FROM nodes WHERE name = ? AND ${isLiving(dialect)}) RETURNING 1`,
      params: [token, name, url, version, chart, dialect.schemaVersion, place ?? null, leaseMillis, name],
      failIfNoRow: `a node named ${name} works on it, and each needs a name of its own (TROUPE_NODE)`
    },
    // Whoever holds the data dir knows that the process before is gone.
    { text: "UPDATE nodes SET asks_until = NULL WHERE name = ? AND place = ?", params: [name, place ?? null] }
  ]
}

export const renewed = (
  { now }: Dialect,
  { beyond, draining, leaseMillis, load, token }: Entry<"NodeRenewed">
): Write => {
  const set = ["dead = 0", `lease_until = ${now} + ?`, "draining = ?", "load = coalesce(?, load)"]
  const params = [leaseMillis, flag(draining), load === undefined ? null : json(load)]
  if (beyond !== undefined) {
    set.push("asks = ?", `asks_until = ${now} + ?`)
    params.push(json(beyond.asks), leaseMillis + beyond.millis)
  }
  return {
    text: `UPDATE nodes SET ${set.join(", ")} WHERE token = ? RETURNING 1`,
    params: [...params, token],
    failIfNoRow: "the node has left"
  }
}

/** By the lease that was seen: it holds no matter when it is stored. Nor does it wait for a commit that renews the lease. */
export const declaredDead = (dialect: Dialect, { leaseUntil, token }: Entry<"NodeDeclaredDead">): Write => ({
  text: `UPDATE nodes SET dead = 1
    WHERE token = (SELECT token FROM nodes WHERE token = ? AND lease_until = ? ${dialect.taken})`,
  params: [token, leaseUntil]
})

export const drainAsked = (dialect: Dialect, { asked, token }: Entry<"NodeDrainAsked">): ReadonlyArray<Write> =>
  asked
    ? [
        // Of two that are asked at once, each would see the other going on.
        { text: dialect.lock, params: ["drain"], failIfNoRow: "another node is asked to drain" },
        {
          text: `UPDATE nodes SET drain_asked = 1 WHERE token = ? AND EXISTS (SELECT 1 FROM nodes AS others
            WHERE others.token <> nodes.token AND others.draining = 0 AND others.drain_asked = 0
              AND (others.lease_until IS NULL OR others.lease_until > ${dialect.now})) RETURNING 1`,
          params: [token],
          failIfNoRow: "there is no such node, or no other one takes sessions"
        }
      ]
    : [
        {
          text: "UPDATE nodes SET drain_asked = 0 WHERE token = ? RETURNING 1",
          params: [token],
          failIfNoRow: "there is no such node"
        }
      ]

/** Its sessions can be claimed at once. */
export const left = (token: NodeToken): Write => ({
  text: `UPDATE nodes SET lease_until = ${leftAt}, draining = 1 WHERE token = ?`,
  params: [token]
})

export const claimed = (
  dialect: Dialect,
  { chart = 1, owner, session }: Entry<"SessionClaimed">
): ReadonlyArray<Write> => [
  // A commit of its owner may be on its way by which the owner is not dead any more, for an agent that it starts: an UPDATE
  // that waited for it would judge by what was before. Nor does it wait: all that this node commits would wait with it.
  {
    text: `SELECT 1 FROM sessions WHERE id = ? ${dialect.taken}`,
    params: [session],
    failIfNoRow: "another node writes for the session",
    isFence: true
  },
  {
    text: `UPDATE sessions SET owner = ?1, epoch = epoch + 1, chart_version = ?3
      WHERE id = ?2 AND chart_version <= ?3 AND (owner IS NULL OR owner = ?1
        OR NOT ${isOwned}) RETURNING 1`,
    params: [owner, session, chart],
    failIfNoRow: "the session belongs to another node, or a later version of Troupe has had it",
    isFence: true
  },
  {
    text: `INSERT INTO claims (session, epoch, owner, node, at, after_step, owner_before)
      SELECT sessions.id, sessions.epoch, nodes.token, nodes.name, ${dialect.now},
        (SELECT coalesce(max(steps.seq), 0) FROM steps WHERE steps.session = sessions.id),
        (SELECT CASE WHEN earlier.lease_until = ${leftAt} THEN 'left' WHEN earlier.dead = 0 THEN 'released' ELSE 'silent' END
          FROM claims AS latest JOIN nodes AS earlier ON earlier.token = latest.owner
          WHERE latest.session = sessions.id AND latest.epoch = sessions.epoch - 1)
      FROM sessions JOIN nodes ON nodes.token = sessions.owner WHERE sessions.id = ?`,
    params: [session]
  },
  // The process of the owner before is ended on its own machine. It must not keep the new owner from starting one.
  {
    text: `UPDATE leases SET session = NULL
      WHERE session = ? AND node <> (SELECT name FROM nodes WHERE token = ?)`,
    params: [session, owner]
  }
]

/** The row of `sessions` that a claim is good for. */
export const whileClaimed = ({ epoch, owner, session }: Claim) => ({
  where: "id = ? AND owner = ? AND epoch = ?",
  key: [session, owner, epoch],
  failIfNoRow: "the session belongs to another node now"
})

export const released = ({ epoch, owner, session }: Claim): Write => ({
  text: "UPDATE sessions SET owner = NULL WHERE id = ? AND owner = ? AND epoch = ? RETURNING 1",
  params: [session, owner, epoch],
  failIfNoRow: "the session belongs to another node now",
  isFence: true
})

export const checked = ({ unchanged }: Dialect, { epoch, owner, session }: Claim): Write => ({
  text: `SELECT 1 FROM sessions WHERE id = ? AND owner = ? AND epoch = ? ${unchanged}`,
  params: [session, owner, epoch],
  failIfNoRow: "the session belongs to another node now",
  isFence: true
})

interface NodeRow {
  readonly token: NodeToken
  readonly name: string
  readonly url: string | null
  readonly version: string
  readonly chart_version: number | null
  readonly joined_at: number
  readonly lease_until: number | null
  readonly dead: number
  readonly asks: string | null
  readonly asks_until: number | null
  readonly draining: number
  readonly drain_asked: number
  readonly load: string | null
}

const nodeOf = (row: NodeRow): NodeRecord => ({
  token: row.token,
  name: row.name,
  url: row.url,
  version: row.version,
  chart: row.chart_version ?? 1,
  joinedAt: row.joined_at,
  leaseUntil: row.lease_until,
  isDead: row.dead === 1,
  asks: row.asks === null ? [] : readableJson<ReadonlyArray<NodeToken>>(row.asks, () => []),
  asksUntil: row.asks_until,
  draining: row.draining === 1,
  drainAsked: row.drain_asked === 1,
  load: row.load === null ? null : readableJson<NodeLoad | null>(row.load, () => null)
})

interface ClaimRow {
  readonly session: SessionId
  readonly epoch: number
  readonly owner: NodeToken
  readonly node: string
  readonly at: number
  readonly after_step: number
  readonly owner_before: OwnerBefore | null
}

const claimOf = (row: ClaimRow): ClaimRecord => ({
  session: row.session,
  epoch: row.epoch,
  owner: row.owner,
  node: row.node,
  at: row.at,
  afterStep: row.after_step,
  ownerBefore: row.owner_before
})

interface OwnerRow {
  readonly owner: NodeToken | null
  readonly epoch: number
}

const columnsRead =
  "token, name, url, version, chart_version, joined_at, lease_until, dead, asks, asks_until, draining, drain_asked, load"
const selectNodes = `SELECT ${columnsRead} FROM nodes`

export const reads = (db: Database) => ({
  nodes: db.all("read the nodes", `${selectNodes} WHERE ${isLiving(db.dialect)} ORDER BY joined_at, token`, [], nodeOf),
  nodesBeside: (token: NodeToken) =>
    db.all(
      "read the nodes beside this one",
      `SELECT ${columnsRead}, ${db.dialect.now} AS at FROM nodes WHERE token = ? OR (${isThere}) ORDER BY joined_at, token`,
      [token],
      ({ at, ...row }: NodeRow & { readonly at: number }) => ({ node: nodeOf(row), at })
    ),
  nodeStatuses: db.all(
    "read the nodes and what they own",
    `SELECT nodes.*, coalesce(owned.n, 0) AS owned, ${db.dialect.now} AS at
      FROM nodes LEFT JOIN (SELECT owner, count(*) AS n FROM sessions WHERE state <> 'closed' GROUP BY owner) AS owned
        ON owned.owner = nodes.token
      WHERE (lease_until IS NULL OR lease_until > ${leftAt}) AND NOT EXISTS (SELECT 1 FROM nodes AS later
        WHERE later.name = nodes.name AND (later.joined_at, later.token) > (nodes.joined_at, nodes.token))
      ORDER BY joined_at, token`,
    [],
    ({ at, owned, ...row }: NodeRow & { readonly owned: number; readonly at: number }): NodeStatus => ({
      node: nodeOf(row),
      lives: row.lease_until === null || row.lease_until > at,
      sessions: owned,
      at
    })
  ),
  nodeNames: db.all(
    "name the nodes",
    `SELECT DISTINCT name FROM nodes WHERE lease_until > ${leftAt} ORDER BY name`,
    [],
    (row: Pick<NodeRow, "name">) => row.name
  ),
  node: (token: NodeToken) =>
    db
      .all("read a node", `${selectNodes} WHERE token = ?`, [token], nodeOf)
      .pipe(Effect.map(([node]) => Option.fromNullishOr(node))),
  ownerOf: (session: SessionId) =>
    db
      .all(
        "read a session's node",
        `${selectNodes} WHERE token = (SELECT owner FROM sessions WHERE id = ?) AND ${isLiving(db.dialect)}`,
        [session],
        nodeOf
      )
      .pipe(Effect.map(([node]) => Option.fromNullishOr(node))),
  ownersOf: (sessions: ReadonlyArray<SessionId>) =>
    db
      .all(
        "read the nodes of sessions",
        `SELECT sessions.id AS session, nodes.* FROM sessions JOIN nodes ON nodes.token = sessions.owner
          WHERE ${db.dialect.inList("sessions.id")} AND (lease_until IS NULL OR lease_until > ${leftAt})`,
        [json(sessions)],
        (row: NodeRow & { readonly session: SessionId }) => [row.session, nodeOf(row)] as const
      )
      .pipe(Effect.map((rows): ReadonlyMap<SessionId, NodeRecord> => new Map(rows))),
  placeOf: (session: SessionId) =>
    db
      .all(
        "read where a session belongs",
        "SELECT agent, home, chart_version AS chart FROM sessions WHERE id = ?",
        [session],
        (place: NodePlace): NodePlace => place
      )
      .pipe(Effect.map(([place]) => Option.fromNullishOr(place))),
  claimOf: (session: SessionId) =>
    db
      .all(
        "read a session's owner",
        "SELECT owner, epoch FROM sessions WHERE id = ?",
        [session],
        ({ epoch, owner }: OwnerRow): Claim | null => (owner === null ? null : { session, owner, epoch })
      )
      .pipe(Effect.map(([claim]) => (claim === undefined ? Option.none() : Option.some(claim)))),
  claimsOf: (owner: NodeToken, except: ReadonlyArray<SessionId>, limit: number) =>
    db.all(
      "read what a node owns",
      `SELECT id AS session, owner, epoch FROM sessions
        WHERE owner = ? AND closed_at IS NULL AND NOT (${db.dialect.inList("id")}) LIMIT ?`,
      [owner, json(except), limit],
      (claim: Claim): Claim => claim
    ),
  claims: (session: SessionId, limit: number) =>
    db
      .all(
        "read a session's owners",
        "SELECT session, epoch, owner, node, at, after_step, owner_before FROM claims WHERE session = ? ORDER BY epoch DESC LIMIT ?",
        [session, limit],
        claimOf
      )
      .pipe(Effect.map((claims) => claims.toReversed()))
})
