/** What a simulation looks at after each step: the database, past all faults, and the runtime that is up. */
import { Context } from "effect"
import type { Effect } from "effect"
import { sessionMachine } from "../../machines/session/machine.ts"
import type { LedgerError } from "../../src/ledger/LedgerError.ts"
import type { Database } from "../../src/ledger/sql/Database.ts"
import { DrainState } from "../../src/runtime/DrainState.ts"
import { ProcessSlots } from "../../src/runtime/ProcessSlots.ts"
import { ThisNode } from "../../src/runtime/ThisNode.ts"
import { Timers } from "../../src/runtime/Timers.ts"
import { Spares } from "../../src/supervision/Spares.ts"
import { Supervisor } from "../../src/supervision/Supervisor.ts"
import type { RuntimeServices } from "./Incarnation.ts"
import type { Running, Stored } from "./invariants.ts"

/** `wait` runs an effect that needs no time. */
export const storedIn = (database: Database, wait: <A>(effect: Effect.Effect<A, LedgerError>) => A): Stored => {
  const rows = <Row>(text: string) => wait(database.all<Row, Row>("look", text, [], (row) => row))
  return {
    sessions: rows("SELECT id, substate, snapshot, owner FROM sessions ORDER BY created_at"),
    turns: rows(
      "SELECT session, idx, status, stop_reason, failure, submitted_at, ended_at FROM turns ORDER BY session, idx"
    ),
    steps: rows("SELECT session, seq, from_state, to_state FROM steps ORDER BY session, seq"),
    owed: rows("SELECT session, type, attempted FROM owed"),
    timers: rows("SELECT session, timer, due_at FROM timers"),
    leases: rows("SELECT id, session FROM leases"),
    events: rows(
      "SELECT session, max(coalesce(last, seq)) AS last, sum(coalesce(last, seq) - seq + 1) AS count FROM events GROUP BY session"
    ),
    unbound: rows(
      `SELECT e.session, e.turn, e.seq FROM events AS e JOIN turns AS t ON t.session = e.session AND t.idx = e.turn
        WHERE e.seq <= t.after_event OR (t.ended_at IS NOT NULL AND e.seq > coalesce(t.last_event, 0))`
    ),
    approvals: rows("SELECT id, session, status FROM approvals")
  }
}

export const runningIn = (services: Context.Context<RuntimeServices>, actorsMayRest: boolean): Running => {
  const slots = Context.get(services, ProcessSlots)
  const { busy, idle, leaving, waiting } = slots.state()
  const [spares, unsettled] = [slots.spares(), slots.unsettled()]
  const held = [...busy, ...idle, ...leaving]
  const { holdsBack } = Context.get(services, DrainState)
  const views = Context.get(services, Supervisor).views()
  return {
    node: Context.get(services, ThisNode).token,
    slots: { size: slots.counts().size, held, letGo: held.filter(holdsBack), waiting, spares, unsettled },
    spares: Context.get(services, Spares).views().length,
    views: views.map(({ record: { id, substate }, snapshot }) => ({
      id,
      snapshot: sessionMachine.getPersistedSnapshot(snapshot),
      substate
    })),
    armed: Context.get(services, Timers).size(),
    actorsMayRest
  }
}
