/** Measures what Troupe adds to a turn: by the library and over HTTP, against a bare pipe to the same agent. */
import type { Client } from "./http.ts"
import type { TroupeCalls } from "./troupe.ts"
import type { RawCalls } from "./raw.ts"
import { block, sampleOf } from "./sample.ts"
import type { Block, Sample } from "./sample.ts"
import { millis, plus, rate, times } from "./table.ts"
import type { Row } from "./table.ts"
import type { Worker } from "./worker.ts"

export interface TurnsPlan {
  readonly sessions: number
  readonly rounds: number
  /** Turns of each session in a round. */
  readonly each: number
}

interface Sides {
  readonly raw: Worker<RawCalls>
  readonly troupe: Worker<TroupeCalls>
  readonly client: Client
  /** Awake sessions, each with its own process; at least as many as any plan measures. */
  readonly ids: ReadonlyArray<string>
}

export const measure = async ({ client, ids, raw, troupe }: Sides, plan: TurnsPlan): Promise<ReadonlyArray<Row>> => {
  const { each, rounds, sessions } = plan
  const measured = ids.slice(0, sessions)
  const bare: Array<Block> = []
  const library: Array<Block> = []
  const http: Array<Block> = []
  // One round more than is counted: the code is compiled in the first.
  for (let round = 0; round <= rounds; round++) {
    const pipes = await raw.call("turns", { agents: sessions, each })
    const embedded = await troupe.call("turns", { ids: measured, each })
    const before = await troupe.call("cpu")
    const overHttp = await block(measured, each, (id) => client.post(`/sessions/${id}/turn`, { prompt: "hello" }))
    const after = await troupe.call("cpu")
    if (round === 0) continue
    bare.push(pipes)
    library.push(embedded)
    // The server's processor time, not the client's.
    http.push({ ...overHttp, cpuMillis: after.millis - before.millis })
  }
  const reference = sampleOf(bare)
  return [
    ...rowsOf("library", sessions, sampleOf(library), reference),
    ...rowsOf("HTTP", sessions, sampleOf(http), reference)
  ]
}

/** The first goal, and beyond it the time of a comparable program that stores nothing. */
const goalMillis = 1.0
const markMillis = 0.55

const rowsOf = (entryPoint: string, sessions: number, troupe: Sample, raw: Sample): ReadonlyArray<Row> => {
  const name = `turn, ${entryPoint}, ${sessions === 1 ? "1 session" : `${sessions} sessions`}`
  const added = troupe.p50 - raw.p50
  const goal = { text: `<= +${goalMillis.toFixed(1)} ms (then +${markMillis})`, met: added <= goalMillis }
  return [
    {
      what: `${name}: p50`,
      troupe: millis(troupe.p50),
      reference: `${millis(raw.p50)} raw pipe`,
      comparison: plus(added),
      ...(sessions === 1 && entryPoint === "library" ? { goal } : {})
    },
    {
      what: `${name}: p99`,
      troupe: millis(troupe.p99),
      reference: `${millis(raw.p99)} raw pipe`,
      comparison: plus(troupe.p99 - raw.p99)
    },
    {
      what: `${name}: throughput`,
      troupe: rate(troupe.perSecond, "turns"),
      reference: `${rate(raw.perSecond)} raw pipe`,
      comparison: times(troupe.perSecond / raw.perSecond)
    },
    {
      what: `${name}: processor time a turn`,
      troupe: millis(troupe.cpuMillisEach),
      reference: `${millis(raw.cpuMillisEach)} raw pipe`,
      comparison: plus(troupe.cpuMillisEach - raw.cpuMillisEach)
    }
  ]
}
