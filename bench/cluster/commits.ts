/** Measures the commit of a turn's step in PostgreSQL, as it is and with a longer way to the server. */
import { Effect, Redacted } from "effect"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as PostgresLedger from "../../src/ledger/PostgresLedger.ts"
import { TcpProxy } from "../../test/cluster/TcpProxy.ts"
import { PostgresProgram } from "../../test/ledger/postgres/PostgresProgram.ts"
import { SteppedSession } from "../commits.ts"
import { quantile } from "../sample.ts"
import { millis, plus } from "../table.ts"
import type { Row } from "../table.ts"

/** Milliseconds, each way. What comes of it, timers being what they are, is seen in the reads. */
const delays = [0, 1] as const

export const measure = async (rounds: number, turns: number): Promise<ReadonlyArray<Row>> => {
  const postgres = await PostgresProgram.open()
  if (postgres === null) throw new Error("no PostgreSQL can be had here")
  const proxy = await TcpProxy.open()
  proxy.target = postgres.port
  const url = new URL(postgres.url)
  url.port = String(proxy.port)
  const commits = new Map<number, Array<number>>(delays.map((delay) => [delay, []]))
  const reads = new Map<number, Array<number>>(delays.map((delay) => [delay, []]))
  const timed = (into: Array<number>, effect: Effect.Effect<unknown>) =>
    Effect.suspend(() => {
      const from = performance.now()
      return Effect.map(effect, () => void into.push(performance.now() - from))
    })
  const program = Effect.gen(function* () {
    const ledger = yield* Ledger
    const session = new SteppedSession()
    yield* ledger.write(session.opening)
    yield* ledger.write(session.wake())
    for (let round = 0; round <= rounds; round++) {
      for (const delay of delays) {
        proxy.delay = delay
        const into = round === 0 ? [] : (commits.get(delay) ?? [])
        for (let turn = 0; turn < turns; turn++) {
          yield* timed(into, Effect.orDie(ledger.write(session.submit())))
          yield* timed(into, Effect.orDie(ledger.write(session.end())))
          yield* timed(round === 0 ? [] : (reads.get(delay) ?? []), Effect.orDie(ledger.apps))
        }
      }
    }
  })
  try {
    const layer = PostgresLedger.layer(Redacted.make(String(url)), { works: "alone" })
    await Effect.runPromise(Effect.scoped(Effect.provide(program, layer)))
  } finally {
    await proxy.close()
    await postgres.close()
  }
  const [near, far] = delays.map((delay) => quantile(commits.get(delay) ?? [], 0.5)) as [number, number]
  const [nearRead, farRead] = delays.map((delay) => quantile(reads.get(delay) ?? [], 0.5)) as [number, number]
  return [
    {
      what: "commit of a turn's step, by a longer way to the server: p50",
      troupe: millis(far),
      reference: `${millis(near)} without`,
      comparison: plus(far - near)
    },
    {
      what: "one small read, the same ways: p50",
      troupe: millis(farRead),
      reference: `${millis(nearRead)} without`,
      comparison: plus(farRead - nearRead)
    }
  ]
}
