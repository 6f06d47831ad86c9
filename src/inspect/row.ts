/** A session as a row of the table, whether its summary was read from the ledger or came with a commit. */
import type { Cost } from "../domain/Cost.ts"
import type { SeenSession } from "../services/Inspection.ts"
import type { Outcome, SessionRow } from "./contract.ts"
import { nameOf } from "../domain/sessionName.ts"
import { waitOf } from "./wait.ts"

/** Without a cost where it is not known, as with a commit. */
export const rowOf = (summary: SeenSession & { readonly cost?: Cost | null }): SessionRow => ({
  session_id: summary.id,
  name: nameOf(summary),
  app: summary.app,
  agent: summary.agent,
  state: summary.state,
  substate: summary.substate,
  created_at: summary.createdAt / 1000,
  last_activity_at: summary.lastActivityAt / 1000,
  heard_at: Math.max(summary.lastActivityAt, summary.heardAt ?? 0) / 1000,
  closed_at: summary.closedAt === null ? null : summary.closedAt / 1000,
  turns: summary.turnCount,
  restarts: summary.restarts,
  total_tokens: summary.totalTokens,
  node: summary.node,
  // A closed session waits for nothing.
  wait: summary.closedAt !== null ? null : waitOf(summary),
  last_outcome: summary.lastOutcome === null ? null : outcomeOf(summary.lastOutcome),
  reason: summary.reason === "" ? null : summary.reason,
  cost: summary.cost ?? null,
  meta: summary.meta,
  circuit: summary.circuit == null ? null : { until: summary.circuit.until / 1000, reason: summary.circuit.reason }
})

const outcomeOf = ({ at, failure, status, turn }: NonNullable<SeenSession["lastOutcome"]>): Outcome => ({
  turn,
  status,
  at: at / 1000,
  failure
})
