/** A session as a line of the table, whether it is read from the ledger or told as it changes. */
import type { SessionSummary } from "../services/Inspection.ts"
import type { SessionRow } from "./contract.ts"
import { waitOf } from "./wait.ts"

export const rowOf = (glance: SessionSummary): SessionRow => ({
  session_id: glance.id,
  app: glance.app,
  agent: glance.agent,
  state: glance.state,
  substate: glance.substate,
  created_at: glance.createdAt / 1000,
  last_activity_at: glance.lastActivityAt / 1000,
  closed_at: glance.closedAt === null ? null : glance.closedAt / 1000,
  turns: glance.turnCount,
  restarts: glance.restarts,
  total_tokens: glance.totalTokens,
  // One that is closed waits for nothing.
  wait: glance.state === "closed" ? null : waitOf(glance)
})
