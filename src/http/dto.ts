/** Records of the doors, in the shapes of the contract. */
import { AppName } from "../domain/Ids.ts"
import type { Caller } from "../services/Sessions.ts"
import type { SessionView } from "../domain/Session.ts"

/** What belongs to the admin itself, such as the sessions it opens. No app can have this name. */
const adminApp = AppName.make("admin")

export const appNameOf = (caller: Caller): AppName => (caller._tag === "App" ? caller.app : adminApp)

export const sessionView = (session: SessionView) => ({
  sessionId: session.id,
  agent: session.agent,
  state: session.state,
  turnCount: session.turnCount,
  createdAt: session.createdAt,
  lastTurnAt: session.lastTurnAt,
  closedAt: session.closedAt,
  meta: session.meta,
  process: session.process,
  parked: session.parked,
  usage: session.usage,
  cost: session.cost
})
