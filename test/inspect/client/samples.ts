/** Rows, pages and steps as `/inspect/api` sends them, for tests of tables. */
import type { SessionRow, SessionRows, SlimStep } from "../../../src/inspect/contract.ts"

export const rowOf = (id: string, substate = "idle.asleep", more: Partial<SessionRow> = {}): SessionRow => ({
  session_id: id,
  name: id,
  app: "web",
  agent: "demo",
  state: substate.split(".")[0] as SessionRow["state"],
  substate,
  created_at: 1,
  last_activity_at: 1,
  heard_at: 1,
  closed_at: null,
  turns: 0,
  restarts: 0,
  total_tokens: 0,
  node: null,
  wait: null,
  last_outcome: null,
  circuit: null,
  reason: null,
  cost: null,
  meta: {},
  ...more
})

export const pageOf = (sessions: ReadonlyArray<SessionRow>, next: string | null = null): SessionRows => ({
  ok: true,
  count: sessions.length,
  is_bounded: false,
  counts: { idle: sessions.length, turning: 0, retiring: 0, closed: 0 },
  substates: { "idle.asleep": sessions.length },
  agents: ["demo"],
  apps: ["web"],
  nodes: [],
  sessions,
  next_cursor: next
})

/** A step into the row's state; with `seq` 0 the session's first change. */
export const stepOf = (row: SessionRow, from = "idle.asleep", seq = 1): SlimStep => ({
  n: 1,
  seq,
  at: 1,
  event: seq === 0 ? "created" : "turn.submitted",
  from,
  to: row.substate,
  row
})
