/**
 * Changes a session's permissions, model, mode or effort, for its next turns; and its agent, before the first.
 *
 * An event of its machine, so it is stored, audited and in order with the turns. A process that was started with other
 * settings is retired before the next prompt: the process after it takes up the conversation with the new ones, whatever
 * its protocol can change in a running agent.
 *
 * Another agent is an event of its own, which the machine takes as long as no turn ever came: so a first prompt that comes
 * meanwhile goes to the agent of before, and the change is refused. All that the session asks for is checked against it anew.
 */
import { Effect, Option } from "effect"
import type { AgentDriver } from "../agent/Agent.ts"
import { Agents } from "../agent/Agents.ts"
import { AgentFixed, InvalidRequest, SessionClosed } from "../domain/Refusal.ts"
import { canChooseAgent } from "../domain/Session.ts"
import type { ChangeSession, SessionRecord, SessionSettings } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { SessionHost } from "../supervision/SessionHost.ts"
import * as CheckAppBounds from "../runtime/checkAppBounds.ts"
import { checkArguments } from "./checkArguments.ts"
import * as CheckSetup from "./checkSetup.ts"
import { checkPermissions } from "./checkPermissions.ts"
import { checkStorable } from "./checkStorable.ts"

export const make = Effect.gen(function* () {
  const agents = yield* Agents
  const checkAppBounds = yield* CheckAppBounds.make
  const checkSetup = yield* CheckSetup.make
  const host = yield* SessionHost
  const ledger = yield* Ledger

  const choose = Effect.fnUntraced(function* (
    record: SessionRecord,
    driver: AgentDriver,
    { effort = null, mode = null, model = null, permissions }: SessionSettings,
    by: string
  ) {
    const { agent, app, cwd, id, ownsCwd, setup } = record
    if (!canChooseAgent(record) || setup.fork !== undefined) return yield* new AgentFixed({ agent })
    const allowed = permissions ?? record.permissions
    yield* checkAppBounds(app, { agent: driver.name, permissions: allowed, cwd: ownsCwd ? undefined : cwd })
    yield* checkPermissions(driver, allowed, cwd)
    // Whether questions go to a person means nothing for an agent that asks none.
    const { fork: _, questions: __, ...kept } = setup
    yield* checkSetup(app, driver, allowed, { ...kept, mode: mode ?? undefined, effort: effort ?? undefined })
    const settings = { effort, mode, model, ...(permissions === undefined ? {} : { permissions }) }
    const { isTaken } = yield* host.chooseAgent({ session: id, by, agent: driver.name, settings })
    if (isTaken) return
    const now = yield* ledger.session(id)
    if (Option.isNone(now) || now.value.closedAt !== null) return yield* new SessionClosed({ id })
    return yield* new AgentFixed({ agent: now.value.agent })
  })

  return Effect.fnUntraced(function* (record: SessionRecord, change: ChangeSession, by: string) {
    const { agent, effort, mode, model, permissions } = change
    const { closedAt, id } = record
    if (closedAt !== null) return yield* new SessionClosed({ id })
    if ([agent, effort, mode, model, permissions].every((setting) => setting === undefined)) {
      const problem = "changes nothing; it takes agent, permissions, model, mode and effort."
      return yield* new InvalidRequest({ field: "body", problem })
    }
    yield* checkArguments({ model: model ?? undefined })
    yield* checkStorable({ agent, model, mode, effort, permissions })
    const driver = yield* agents.driver(agent ?? record.agent)
    if (driver.name !== record.agent) return yield* choose(record, driver, change, by)
    if (permissions !== undefined) {
      yield* checkAppBounds(record.app, { permissions })
      yield* checkPermissions(driver, permissions, record.cwd)
    }
    // A mode that was allowed under the permissions before may not be under these.
    const next = { mode: mode === undefined ? record.mode : mode, effort: effort ?? null }
    if (next.mode !== null || next.effort !== null) {
      yield* CheckSetup.checkChoices(driver, permissions ?? record.permissions, next)
    }
    const settings = {
      ...(effort === undefined ? {} : { effort }),
      ...(mode === undefined ? {} : { mode }),
      ...(model === undefined ? {} : { model }),
      ...(permissions === undefined ? {} : { permissions })
    }
    // The agent that it has already.
    if (Object.keys(settings).length === 0) return
    const { isTaken } = yield* host.change({ session: id, by, settings })
    if (!isTaken) return yield* new SessionClosed({ id })
  })
})
