/** A session as a caller sees it: its row, its process, and why it is parked where it is. */
import { Effect } from "effect"
import type { SessionSnapshot } from "../../machines/session/machine.ts"
import type { ProcessView, SessionRecord, SessionView } from "../domain/Session.ts"
import { addUsage } from "../domain/Turn.ts"
import type { Ledger } from "../ledger/Ledger.ts"

const processStates: Readonly<Record<string, ProcessView["state"]>> = {
  "idle.asleep": "none",
  "idle.awake": "up",
  "idle.waking": "starting",
  "idle.backingOff": "backing_off",
  "idle.parked": "parked",
  "turning.queued": "none",
  "turning.starting": "starting",
  "turning.running": "up",
  "turning.asking": "up",
  "turning.probing": "up",
  "turning.interrupting": "up",
  closed: "none"
}

export const sessionView = Effect.fnUntraced(function* (
  ledger: Ledger["Service"],
  record: SessionRecord,
  pid: number | null
) {
  const state = processStates[record.substate] ?? "stopping"
  const process: ProcessView = { state, pid, restarts: record.restarts }
  const parked = state === "parked" ? yield* parkedOf(ledger, record) : null
  const reviewed = (yield* ledger.reviewUsage([record.id])).get(record.id)
  // A session pays for its reviews.
  const usage = reviewed === undefined ? record.usage : addUsage(record.usage, reviewed)
  const cost = (yield* ledger.costsOfSessions([record.id])).get(record.id) ?? null
  const view: SessionView = { ...record, process, parked, usage, cost }
  return view
})

const parkedOf = Effect.fnUntraced(function* (ledger: Ledger["Service"], { id }: SessionRecord) {
  const snapshot = (yield* ledger.snapshot(id)) as Pick<SessionSnapshot, "context">
  const timer = (yield* ledger.timers(id)).find(({ timer }) => timer.includes("parkFor"))
  return { reason: snapshot.context.reason, until: timer?.dueAt ?? 0 }
})
