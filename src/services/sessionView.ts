/** Sessions as a caller sees them: their rows, their processes, and, where one is parked, why. */
import { Effect } from "effect"
import { delayName, stateInfo } from "../../machines/session/stateInfo.ts"
import type { StateName } from "../../machines/session/stateInfo.ts"
import { at } from "../domain/json.ts"
import { withoutSecrets } from "../domain/Session.ts"
import type { ProcessView, SessionRecord, SessionView } from "../domain/Session.ts"
import { addUsage } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { Looked } from "../supervision/Looked.ts"
import { SessionHost } from "../supervision/SessionHost.ts"

export const make = Effect.gen(function* () {
  const host = yield* SessionHost
  const ledger = yield* Ledger

  const viewOf = Effect.fnUntraced(function* (record: SessionRecord, looked: Looked | undefined) {
    // A list is not taken away by one row whose state this Troupe does not know.
    const state = stateInfo[record.substate as StateName]?.process ?? "none"
    const parked = state === "parked" ? yield* parkedOf(ledger, record) : null
    const reviewUsage = (yield* ledger.reviewUsage([record.id])).get(record.id)
    // A session pays for its reviews.
    const usage = reviewUsage === undefined ? record.usage : addUsage(record.usage, reviewUsage)
    const cost = (yield* ledger.costsOfSessions([record.id])).get(record.id) ?? null
    const view: SessionView = {
      ...record,
      setup: withoutSecrets(record.setup),
      process: processView(state, record, looked),
      choices: looked?._tag === "Seen" ? looked.choices : null,
      parked,
      usage,
      cost
    }
    return view
  })

  const views = Effect.fnUntraced(function* (records: ReadonlyArray<SessionRecord>) {
    const looked = yield* host.look({ sessions: records.map(({ id }) => id), parts: [] })
    return yield* Effect.forEach(records, (record, nth) => viewOf(record, looked[nth]))
  })

  return { views, view: (record: SessionRecord) => Effect.map(views([record]), ([view]) => view!), viewOf } as const
})

const processView = (
  state: ProcessView["state"],
  { restarts }: SessionRecord,
  looked: Looked | undefined
): ProcessView => {
  if (looked?._tag !== "Seen") {
    const { node = null, since = null } = looked ?? {}
    return { state, pid: null, restarts, configured: null, unseen: { node, since } }
  }
  const { configured, exceeded, node, pid, use } = looked
  return {
    state,
    pid,
    ...(node === undefined ? {} : { node }),
    restarts,
    configured,
    ...(use === null ? {} : { use }),
    ...(exceeded === null ? {} : { exceeded })
  }
}

export const parkedOf = Effect.fnUntraced(function* (ledger: Ledger["Service"], { id }: SessionRecord) {
  const reason = at(yield* ledger.snapshot(id), "context", "reason")
  const timer = (yield* ledger.timers(id)).find(({ timer }) => delayName(timer) === "parkFor")
  return { reason: typeof reason === "string" ? reason : "", until: timer?.dueAt ?? 0 }
})
