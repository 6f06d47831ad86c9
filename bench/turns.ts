/** What Troupe adds to a turn: through the library and over HTTP, against a bare pipe to the same agent. */
import type { Client } from "./http.ts"
import type { House } from "./troupe.ts"
import type { Raw } from "./raw.ts"
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
  readonly raw: Worker<Raw>
  readonly house: Worker<House>
  readonly client: Client
  /** Awake, each with a process of its own; at least as many as any plan asks for. */
  readonly ids: ReadonlyArray<string>
}

export const measure = async ({ client, house, ids, raw }: Sides, plan: TurnsPlan): Promise<ReadonlyArray<Row>> => {
  const { each, rounds, sessions } = plan
  const some = ids.slice(0, sessions)
  const bare: Array<Block> = []
  const library: Array<Block> = []
  const http: Array<Block> = []
  // One round more than is kept: the first compiles.
  for (let round = 0; round <= rounds; round++) {
    const pipes = await raw.call("turns", { agents: sessions, each })
    const embedded = await house.call("turns", { ids: some, each })
    const before = await house.call("cpu")
    const overHttp = await block(some, each, (id) => client.post(`/sessions/${id}/turn`, { prompt: "hello" }))
    const after = await house.call("cpu")
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

/** The first goal and, beyond it, what a peer that stores nothing needs. */
const goalMillis = 1.0
const markMillis = 0.55

const rowsOf = (door: string, sessions: number, troupe: Sample, raw: Sample): ReadonlyArray<Row> => {
  const name = `turn, ${door}, ${sessions === 1 ? "1 session" : `${sessions} sessions`}`
  const added = troupe.p50 - raw.p50
  const goal = { text: `<= +${goalMillis.toFixed(1)} ms (then +${markMillis})`, met: added <= goalMillis }
  return [
    {
      what: `${name}: p50`,
      troupe: millis(troupe.p50),
      reference: `${millis(raw.p50)} raw pipe`,
      comparison: plus(added),
      ...(sessions === 1 && door === "library" ? { goal } : {})
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
