/** Measures whether the cost of creating a session depends on how many are open, and the memory of open sessions. */
import type { Client } from "./http.ts"
import type { TroupeCalls } from "./troupe.ts"
import { block, median } from "./sample.ts"
import { megabytes, millis, times } from "./table.ts"
import type { Row } from "./table.ts"
import type { Worker } from "./worker.ts"

export interface Side {
  readonly troupe: Worker<TroupeCalls>
  readonly client: Client
}

export interface CreationPlan {
  readonly rounds: number
  readonly each: number
}

/** Compares a Troupe with few open sessions with one with many. Created sessions are closed again, so that both stay so. */
export const measure = async (
  few: Side & { readonly open: number },
  many: Side & { readonly open: number },
  { each, rounds }: CreationPlan
): Promise<ReadonlyArray<Row>> => {
  const libraryMillis = { few: [] as Array<number>, many: [] as Array<number> }
  const httpMillis = { few: [] as Array<number>, many: [] as Array<number> }
  const sides = [["few", few] as const, ["many", many] as const]
  for (let round = 0; round <= rounds; round++) {
    // The order alternates: the processor favours neither.
    for (const [name, side] of round % 2 === 0 ? sides : sides.toReversed()) {
      const library = await side.troupe.call("create", { count: each })
      const ids: Array<string> = []
      const http = await block([null], each, async () => {
        ids.push(idIn(await side.client.post("/sessions", {})))
      })
      await side.troupe.call("close", { ids: [...library.ids, ...ids] })
      if (round === 0) continue
      libraryMillis[name].push(...library.millis)
      httpMillis[name].push(...http.millis)
    }
  }
  const count = (open: number) => open.toLocaleString("en-US")
  const row = (entryPoint: string, { few: atFew, many: atMany }: typeof libraryMillis): Row => {
    const ratio = median(atMany) / median(atFew)
    return {
      what: `create a session, ${entryPoint}, ${count(many.open)} open: p50`,
      troupe: millis(median(atMany)),
      reference: `${millis(median(atFew))} at ${count(few.open)} open`,
      comparison: times(ratio),
      goal: { text: `flat (<= ${times(flatRatio)})`, met: ratio <= flatRatio }
    }
  }
  return [row("library", libraryMillis), row("HTTP", httpMillis)]
}

export const idIn = (body: string): string => (JSON.parse(body) as { readonly session_id: string }).session_id

/** Above the noise of two equal measurements in one run. */
const flatRatio = 1.25

const goalBytes = 400e6

export interface MemoryUse {
  readonly rssBytes: number
  readonly heapBytes: number
}

export const asleepRows = (sessions: number, empty: MemoryUse, full: MemoryUse): ReadonlyArray<Row> => [
  {
    what: `memory of the server (RSS), ${sessions.toLocaleString("en-US")} sessions asleep`,
    troupe: megabytes(full.rssBytes),
    reference: `${megabytes(empty.rssBytes)} with none`,
    comparison: `+${megabytes(full.rssBytes - empty.rssBytes)}`,
    goal: { text: `< ${megabytes(goalBytes)}`, met: full.rssBytes < goalBytes }
  },
  {
    what: "  of it JavaScript's heap in use",
    troupe: megabytes(full.heapBytes),
    reference: `${megabytes(empty.heapBytes)} with none`,
    comparison: `+${megabytes(full.heapBytes - empty.heapBytes)}`
  }
]

export const awakeRow = (sessions: number, before: MemoryUse, after: MemoryUse): Row => ({
  what: `heap of the server for each of ${sessions} awake sessions`,
  troupe: `${((after.heapBytes - before.heapBytes) / sessions / 1000).toFixed(0)} kB`,
  reference: `${megabytes(before.heapBytes)} without them`,
  comparison: `+${megabytes(after.heapBytes - before.heapBytes)}`
})
