/**
 * Changes a session's permissions, model, mode or effort, for its next turns.
 *
 * An event of its machine, so it is stored, audited and in order with the turns. A process that was started with other
 * settings is retired before the next prompt: the process after it takes up the conversation with the new ones, whatever
 * its protocol can change in a running agent.
 */
import { Effect } from "effect"
import { Agents } from "../agent/Agents.ts"
import { InvalidRequest, SessionClosed } from "../domain/Refusal.ts"
import type { SessionRecord, SessionSettings } from "../domain/Session.ts"
import { SessionHost } from "../supervision/SessionHost.ts"
import * as CheckAppBounds from "../runtime/checkAppBounds.ts"
import { checkArguments } from "./checkArguments.ts"
import { checkChoices } from "./checkSetup.ts"
import { checkPermissions } from "./checkPermissions.ts"
import { checkStorable } from "./checkStorable.ts"

export const make = Effect.gen(function* () {
  const agents = yield* Agents
  const checkAppBounds = yield* CheckAppBounds.make
  const host = yield* SessionHost

  return Effect.fnUntraced(function* (
    record: SessionRecord,
    { effort, mode, model, permissions }: SessionSettings,
    by: string
  ) {
    const { agent, closedAt, id } = record
    if (closedAt !== null) return yield* new SessionClosed({ id })
    if ([effort, mode, model, permissions].every((setting) => setting === undefined)) {
      const problem = "changes nothing; it takes permissions, model, mode and effort."
      return yield* new InvalidRequest({ field: "body", problem })
    }
    yield* checkArguments({ model: model ?? undefined })
    yield* checkStorable({ model, mode, effort, permissions })
    if (permissions !== undefined) {
      yield* checkAppBounds(record.app, { permissions })
      yield* checkPermissions(yield* agents.driver(agent), permissions, record.cwd)
    }
    // A mode that was allowed under the permissions before may not be under these.
    const next = { mode: mode === undefined ? record.mode : mode, effort: effort ?? null }
    if (next.mode !== null || next.effort !== null) {
      yield* checkChoices(yield* agents.driver(agent), permissions ?? record.permissions, next)
    }
    const settings = {
      ...(effort === undefined ? {} : { effort }),
      ...(mode === undefined ? {} : { mode }),
      ...(model === undefined ? {} : { model }),
      ...(permissions === undefined ? {} : { permissions })
    }
    const { isTaken } = yield* host.change({ session: id, by, settings })
    if (!isTaken) return yield* new SessionClosed({ id })
  })
})
