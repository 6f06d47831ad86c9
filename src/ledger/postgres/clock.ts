/** Measures how far this machine's clock is from the database's. */
import type { PgConnection } from "@effect/sql-pg/PgConnection"
import { Clock, Effect } from "effect"
import { LedgerUnusable } from "../LedgerError.ts"
import { inWords, isOff, mostMillis } from "./clockDifference.ts"
import type { ClockDifference } from "./clockDifference.ts"

/** The one with the shortest way counts: it says the most. */
const samples = 5

export const difference = Effect.fnUntraced(function* (connection: PgConnection) {
  let best: ClockDifference | null = null
  for (let nth = 0; nth < samples; nth++) {
    const before = yield* Clock.currentTimeMillis
    const { rows } = yield* connection.query(
      "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now",
      [],
      false
    )
    const after = yield* Clock.currentTimeMillis
    const marginMillis = (after - before) / 2
    if (best !== null && marginMillis >= best.marginMillis) continue
    best = { aheadMillis: before + marginMillis - Number(rows[0]?.["now"]), marginMillis }
  }
  return best ?? { aheadMillis: 0, marginMillis: Infinity }
})

/** Before a node works beside others. */
export const refuseOff = Effect.fnUntraced(function* (connection: PgConnection, location: string) {
  const measured = yield* difference(connection)
  if (!isOff(measured)) return
  return yield* new LedgerUnusable({
    location,
    problem: `is not for this machine, whose clock is ${inWords(measured.aheadMillis)}: nodes may differ by ${mostMillis / 1000} s`,
    remedy: "Set the clocks by NTP, on this machine and on the database's. Nothing was changed."
  })
})
