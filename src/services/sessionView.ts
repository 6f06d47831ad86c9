/** A session as a caller sees it: its row, its process, and, where it is parked, why. */
import { Effect } from "effect"
import { delayName, stateInfo } from "../../machines/session/stateInfo.ts"
import type { StateName } from "../../machines/session/stateInfo.ts"
import { at } from "../domain/json.ts"
import { withoutSecrets } from "../domain/Session.ts"
import type { ProcessView, SessionRecord, SessionView } from "../domain/Session.ts"
import { addUsage } from "../domain/Turn.ts"
import type { Ledger } from "../ledger/Ledger.ts"
import type { CommandHandler } from "../session/CommandHandler.ts"

export const sessionView = Effect.fnUntraced(function* (
  ledger: Ledger["Service"],
  record: SessionRecord,
  commandHandler: Pick<CommandHandler["Service"], "choices" | "configured" | "exceeded" | "pid" | "use">
) {
  // A list is not taken away by one row whose state this Troupe does not know.
  const state = stateInfo[record.substate as StateName]?.process ?? "none"
  const use = commandHandler.use(record.id)
  const exceeded = commandHandler.exceeded(record.id)
  const process: ProcessView = {
    state,
    pid: commandHandler.pid(record.id),
    restarts: record.restarts,
    configured: commandHandler.configured(record.id),
    ...(use === null ? {} : { use }),
    ...(exceeded === null ? {} : { exceeded })
  }
  const parked = state === "parked" ? yield* parkedOf(ledger, record) : null
  const reviewUsage = (yield* ledger.reviewUsage([record.id])).get(record.id)
  // A session pays for its reviews.
  const usage = reviewUsage === undefined ? record.usage : addUsage(record.usage, reviewUsage)
  const cost = (yield* ledger.costsOfSessions([record.id])).get(record.id) ?? null
  const view: SessionView = {
    ...record,
    setup: withoutSecrets(record.setup),
    process,
    choices: commandHandler.choices(record.id),
    parked,
    usage,
    cost
  }
  return view
})

export const parkedOf = Effect.fnUntraced(function* (ledger: Ledger["Service"], { id }: SessionRecord) {
  const reason = at(yield* ledger.snapshot(id), "context", "reason")
  const timer = (yield* ledger.timers(id)).find(({ timer }) => delayName(timer) === "parkFor")
  return { reason: typeof reason === "string" ? reason : "", until: timer?.dueAt ?? 0 }
})
