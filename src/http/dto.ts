/** Records of the services in the shapes of the contract. */
import { questionsUnder } from "../domain/Session.ts"
import type { SessionView } from "../domain/Session.ts"
import { titleIn } from "../domain/sessionName.ts"

export const sessionDto = (session: SessionView) => ({
  sessionId: session.id,
  agent: session.agent,
  title: titleIn(session.meta) ?? session.opening,
  state: session.state,
  turnCount: session.turnCount,
  createdAt: session.createdAt,
  lastTurnAt: session.lastTurnAt,
  closedAt: session.closedAt,
  cwd: session.cwd,
  model: session.model,
  mode: session.mode,
  effort: session.effort,
  permissions: session.permissions,
  choices: session.choices,
  mcpServers: session.setup.mcpServers ?? [],
  additionalDirectories: session.setup.additionalDirectories ?? [],
  env: Object.keys(session.setup.env ?? {}),
  questions: session.setup.questions ?? questionsUnder(session.permissions),
  threadId: session.threadId,
  meta: session.meta,
  process: session.process,
  parked: session.parked,
  usage: session.usage,
  cost: session.cost
})
