/** Measured times in milliseconds, collected over alternating rounds, and their quantiles; and what processes take. */
import { readFileSync } from "node:fs"

/** One block of turns: how long each took, how long all took, and the processor time of the process that served them. */
export interface Block {
  readonly millis: ReadonlyArray<number>
  readonly elapsedMillis: number
  readonly cpuMillis: number
}

export interface Sample {
  readonly p50: number
  readonly p99: number
  readonly perSecond: number
  readonly cpuMillisEach: number
}

/** The value below which this part of the values lies. */
export const quantile = (values: ReadonlyArray<number>, part: number): number => {
  if (values.length === 0) throw new Error("nothing was measured")
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!
}

export const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

export const sampleOf = (blocks: ReadonlyArray<Block>): Sample => {
  const millis = blocks.flatMap((block) => block.millis)
  return {
    p50: quantile(millis, 0.5),
    p99: quantile(millis, 0.99),
    // The median round: another program that takes the machine for a second spoils one round, not the result.
    perSecond: median(blocks.map((block) => (block.millis.length * 1000) / block.elapsedMillis)),
    cpuMillisEach: median(blocks.map((block) => block.cpuMillis / block.millis.length))
  }
}

/** Processor time of this process so far, in milliseconds. */
export const cpuMillis = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
}

/** What a process has in memory (RSS), by Linux. */
export const residentBytes = (pid: number | null): number =>
  1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])

/** Each of `lanes` does `times` things one after the other; all lanes run at once. */
export const block = async <Lane>(
  lanes: ReadonlyArray<Lane>,
  times: number,
  doOne: (lane: Lane) => Promise<unknown>
): Promise<Block> => {
  const millis: Array<number> = []
  const began = performance.now()
  const cpuBefore = cpuMillis()
  await Promise.all(
    lanes.map(async (lane) => {
      for (let nth = 0; nth < times; nth++) {
        const from = performance.now()
        await doOne(lane)
        millis.push(performance.now() - from)
      }
    })
  )
  return { millis, elapsedMillis: performance.now() - began, cpuMillis: cpuMillis() - cpuBefore }
}
