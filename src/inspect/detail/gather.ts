/** Reads what a session's detail is made of: its rows, and what is known of its process. */
import { Effect, Option } from "effect"
import { cannot } from "../../runtime/errors.ts"
import { CommandHandler } from "../../session/CommandHandler.ts"
import { SessionShared } from "../../runtime/SessionShared.ts"
import { RuntimeSettings } from "../../runtime/RuntimeSettings.ts"
import { Sessions } from "../../services/Sessions.ts"
import type { Caller } from "../../services/Sessions.ts"
import { Processes } from "../../agent/Processes.ts"
import { SessionNotFound } from "../../domain/Refusal.ts"
import { Ledger } from "../../ledger/Ledger.ts"
import { detailOf } from "./detail.ts"
import type { Gathered, Persisted } from "./detail.ts"

const turnsShown = 200
const approvalsShown = 200
/** At most four steps tell of one process. */
const lifeStepsRead = 800
/** A session that moves while it is read is read again, so often. */
const readings = 3

export const make = Effect.gen(function* () {
  const commandHandler = yield* CommandHandler
  const ledger = yield* Ledger
  const processes = yield* Processes
  const sessions = yield* Sessions
  const { machine, refusedEvents: refusals } = yield* SessionShared
  const { limits } = yield* RuntimeSettings
  const bounds = { intensity: limits.restartIntensity, periodMillis: limits.restartPeriodMillis }

  const read = Effect.fnUntraced(function* (caller: Caller, id: string) {
    const view = yield* sessions.get(caller, id)
    const glance = yield* ledger.summary(view.id)
    // Deleted in between.
    if (Option.isNone(glance)) return yield* new SessionNotFound({ id })
    const lease = commandHandler.lease(view.id)
    const gathered: Gathered = {
      view,
      glance: glance.value,
      snapshot: (yield* ledger.snapshot(view.id)) as Persisted,
      lastStep: yield* ledger.lastStep(view.id),
      lastEvent: yield* ledger.lastEvent(view.id),
      timers: yield* ledger.timers(view.id),
      owed: yield* ledger.outbox(view.id),
      turns: yield* ledger.turnOutlines(view.id, view.turnCount - turnsShown, turnsShown),
      approvals: yield* ledger.lastApprovals(view.id, approvalsShown),
      lifeSteps: yield* ledger.processSteps(view.id, lifeStepsRead),
      refused: refusals.of(view.id),
      vitals: lease === null ? null : yield* processes.vitals(lease)
    }
    return gathered
  })

  /** Of one moment, where the session holds still for it. */
  const gather = (caller: Caller, id: string) =>
    Effect.gen(function* () {
      let gathered = yield* read(caller, id)
      for (let nth = 1; nth < readings; nth++) {
        if ((yield* ledger.lastStep(gathered.view.id)) === gathered.lastStep) break
        gathered = yield* read(caller, id)
      }
      return gathered
    }).pipe(cannot("read the session"))

  return {
    gather,
    detail: (gathered: Gathered, now: number) => detailOf(gathered, machine, bounds, now)
  } as const
})
