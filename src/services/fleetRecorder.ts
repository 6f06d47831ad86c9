/**
 * Stores what was counted of the fleet, a row for each app and agent in five minutes, every few seconds and apart from any turn's
 * commit. A kill costs the last seconds of the statistics, and nothing else (decision 0051).
 */
import { Clock, Effect, Layer } from "effect"
import { Agents } from "../agent/Agents.ts"
import { added, emptyTally, tallyStepMillis } from "../domain/Tally.ts"
import type { Tally, TallyRecord } from "../domain/Tally.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerWrite } from "../ledger/Ledger.ts"
import { FleetCounts } from "../runtime/FleetCounts.ts"

const storeEvery = "10 seconds"
/** Longer than the overview's longest window. */
const keepMillis = 25 * 3_600_000
/** Versions are asked for anew after this time: to ask may start a program. */
const versionsMillis = 600_000
/** Rows in five minutes; what further apps do is counted as one app's. */
const mostRows = 1_000
const otherApps = "(other)"

const make = Effect.gen(function* () {
  const agents = yield* Agents
  const clock = yield* Clock.Clock
  const ledger = yield* Ledger
  const run = crypto.randomUUID()
  let rows = new Map<string, Omit<TallyRecord, "version">>()
  const changed = new Set<string>()
  let versions: ReadonlyMap<string, string> = new Map()
  let versionsAt = Number.NEGATIVE_INFINITY

  const add = (app: string, agent: string, counted: Partial<Tally>) => {
    const now = clock.currentTimeMillisUnsafe()
    const at = now - (now % tallyStepMillis)
    const keyOf = (app: string) => JSON.stringify([at, app, agent])
    const its = rows.size < mostRows || rows.has(keyOf(app)) ? app : otherApps
    const key = keyOf(its)
    const tally = added(rows.get(key)?.tally ?? emptyTally, counted)
    rows.set(key, { at, run, app: its, agent, tally })
    changed.add(key)
  }

  const store = Effect.gen(function* () {
    if (changed.size === 0) return
    const now = yield* Clock.currentTimeMillis
    if (now - versionsAt > versionsMillis) {
      versionsAt = now
      versions = new Map((yield* agents.list).map(({ name, version }) => [name, version ?? ""]))
    }
    const entries = [...changed].flatMap((key): ReadonlyArray<LedgerWrite> => {
      const row = rows.get(key)
      return row === undefined
        ? []
        : [{ _tag: "FleetTallied", record: { ...row, version: versions.get(row.agent) ?? "" } }]
    })
    changed.clear()
    rows = new Map([...rows].filter(([, { at }]) => now - at < 2 * tallyStepMillis))
    yield* ledger.writeLater([...entries, { _tag: "FleetForgotten", before: now - keepMillis }])
  })

  yield* Effect.forkScoped(Effect.forever(Effect.delay(store, storeEvery)))
  yield* Effect.addFinalizer(() => (ledger.away() === null ? store : Effect.void))
  return FleetCounts.of({ add })
})

export const layer = Layer.effect(FleetCounts, make)
