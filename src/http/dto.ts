/** Records of the services in the shapes of the contract. */
import type { SessionView } from "../domain/Session.ts"

export const sessionDto = (session: SessionView) => ({
  sessionId: session.id,
  agent: session.agent,
  state: session.state,
  turnCount: session.turnCount,
  createdAt: session.createdAt,
  lastTurnAt: session.lastTurnAt,
  closedAt: session.closedAt,
  cwd: session.cwd,
  model: session.model,
  permissions: session.permissions,
  meta: session.meta,
  process: session.process,
  parked: session.parked,
  usage: session.usage,
  cost: session.cost
})
