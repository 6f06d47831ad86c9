/** A session as a caller sees it: its row, its process, and, where it is parked, why. */
import { Effect } from "effect"
import type { SessionSnapshot } from "../../machines/session/machine.ts"
import { delayName, stateInfo } from "../../machines/session/stateInfo.ts"
import type { StateName } from "../../machines/session/stateInfo.ts"
import type { ProcessView, SessionRecord, SessionView } from "../domain/Session.ts"
import { addUsage } from "../domain/Turn.ts"
import type { Ledger } from "../ledger/Ledger.ts"
import type { CommandHandler } from "../session/CommandHandler.ts"

export const sessionView = Effect.fnUntraced(function* (
  ledger: Ledger["Service"],
  record: SessionRecord,
  commandHandler: Pick<CommandHandler["Service"], "configured" | "pid">
) {
  // A list is not taken away by one row whose state this Troupe does not know.
  const state = stateInfo[record.substate as StateName]?.process ?? "none"
  const process: ProcessView = {
    state,
    pid: commandHandler.pid(record.id),
    restarts: record.restarts,
    configured: commandHandler.configured(record.id)
  }
  const parked = state === "parked" ? yield* parkedOf(ledger, record) : null
  const reviewUsage = (yield* ledger.reviewUsage([record.id])).get(record.id)
  // A session pays for its reviews.
  const usage = reviewUsage === undefined ? record.usage : addUsage(record.usage, reviewUsage)
  const cost = (yield* ledger.costsOfSessions([record.id])).get(record.id) ?? null
  const view: SessionView = { ...record, process, parked, usage, cost }
  return view
})

const parkedOf = Effect.fnUntraced(function* (ledger: Ledger["Service"], { id }: SessionRecord) {
  const snapshot = (yield* ledger.snapshot(id)) as Pick<SessionSnapshot, "context"> | null
  const timer = (yield* ledger.timers(id)).find(({ timer }) => delayName(timer) === "parkFor")
  return { reason: snapshot?.context.reason ?? "", until: timer?.dueAt ?? 0 }
})
