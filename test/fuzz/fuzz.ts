/**
 * Runs a property on its share of the random inputs, and looks that the memory does not grow over them.
 *
 * `FUZZ_SEED` and `FUZZ_RUNS` give the same inputs again; a failure prints both, and the smallest input that fails.
 */
import { assert } from "@effect/vitest"
import * as fc from "fast-check"

export const seed = Number(process.env["FUZZ_SEED"] ?? 1)
/** Of a failure: only its input is given. */
const path = process.env["FUZZ_PATH"] ?? ""
const total = Number(process.env["FUZZ_RUNS"] ?? 20_000)

/** What was measured to stay, over a million inputs, and a margin for a collector that is not done. */
const mostGrowthBytes = 48 * 1024 * 1024
/**
 * Beside the heap there are buffers, compiled code, and what the allocator keeps. Between two runs of the same inputs it
 * was measured to differ by up to 240 MiB, so this finds what leaks outside of the heap in a long run only.
 */
const mostRssGrowthBytes = 400 * 1024 * 1024
const mib = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`

const memory = () => {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  return { heapUsed, rss }
}

export interface Share<A> {
  readonly name: string
  /** The part of all inputs, such as 0.2. */
  readonly share: number
  /** How many inputs one run of the property has. */
  readonly inputsOf?: number
  readonly arbitrary: fc.Arbitrary<A>
  /** Where a run is too slow to look for a smaller input that fails. */
  readonly isSlow?: boolean
  /** Inputs that failed once; they come first. */
  readonly examples?: ReadonlyArray<A>
  readonly run: (input: A) => Promise<void> | void
}

export const fuzz = async <A>({
  arbitrary,
  examples = [],
  inputsOf = 1,
  isSlow = false,
  name,
  run,
  share
}: Share<A>): Promise<void> => {
  const runs = Math.max(1, Math.round((total * share) / inputsOf))
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  // What is loaded and compiled at first is no growth.
  const warmAfter = Math.ceil(runs / 5)
  let done = 0
  let before = memory()
  const property = fc.asyncProperty(arbitrary, async (input) => {
    await run(input)
    if (++done === warmAfter) before = memory()
  })
  const details = await fc.check(property, {
    seed,
    numRuns: runs,
    endOnFailure: isSlow,
    path,
    examples: examples.map((input): [A] => [input])
  })
  if (details.failed) {
    const repeat = `FUZZ_SEED=${seed} FUZZ_RUNS=${total} npm run fuzz (with FUZZ_PATH=${details.counterexamplePath}: this input alone)`
    throw new Error(`${name}, repeat with: ${repeat}\n${await fc.asyncDefaultReportMessage(details)}`, {
      cause: details.errorInstance
    })
  }
  const after = memory()
  const seconds = (performance.now() - startedAt) / 1000
  const { system, user } = process.cpuUsage(cpu)
  console.log(
    `fuzz ${name}: ${runs * inputsOf} inputs in ${seconds.toFixed(1)} s (${((system + user) / 1e6).toFixed(1)} s of CPU), heap ${mib(before.heapUsed)} to ${mib(after.heapUsed)}, RSS ${mib(before.rss)} to ${mib(after.rss)}`
  )
  assert.isBelow(after.rss - before.rss, mostRssGrowthBytes, `${name}: the memory outside of the heap grew`)
  assert.isBelow(after.heapUsed - before.heapUsed, mostGrowthBytes, `${name}: the heap grew over the inputs`)
}
