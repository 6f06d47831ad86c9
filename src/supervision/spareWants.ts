/** Which spares are wanted: one for each way in which an agent was started lately, unless its last ones have failed. */
import type { SpareSpec } from "../agent/Agent.ts"
import { forgetOldest } from "../agent/forgetOldest.ts"

export interface Want {
  readonly agent: string
  readonly spec: SpareSpec
}

interface Known extends Want {
  readonly usedAt: number
  readonly uses: number
  /** In a row. */
  readonly failures: number
  readonly notBefore: number
}

const usedWithinMillis = 10 * 60_000
/** Each pause is twice as long as the one before. */
const pauseMillis = { least: 5_000, most: 10 * 60_000 }
/** One that ends sooner than this has failed, too. */
const livesMillis = 60_000
/** The permission words, and what else a start can bind, are few; sessions' own directories can be many. */
const mostWants = 32

/** A directory that had one session need not have another; of all directories together the next one is near. */
const isExpected = ({ spec, uses }: Known) => spec.directory === null || uses > 1

/** `count`: how many spares of a kind there are to be; with 0 none is wanted. */
export const make = (count: number) => {
  const wants = new Map<string, Known>()
  const isUsed = ({ usedAt }: Known, now: number) => now - usedAt < usedWithinMillis

  const failed = ({ key }: SpareSpec, now: number): number => {
    const want = wants.get(key)
    if (want === undefined) return 0
    const failures = want.failures + 1
    const pause = Math.min(pauseMillis.most, pauseMillis.least * 2 ** (failures - 1))
    wants.set(key, { ...want, failures, notBefore: now + pause })
    return failures
  }

  return {
    used: (agent: string, spec: SpareSpec, now: number) => {
      if (count === 0) return
      const { failures = 0, notBefore = 0, uses = 0 } = wants.get(spec.key) ?? {}
      wants.delete(spec.key)
      wants.set(spec.key, { agent, spec, usedAt: now, uses: uses + 1, failures, notBefore })
      forgetOldest(wants, mostWants)
    },
    has: ({ key }: SpareSpec, now: number) => {
      const want = wants.get(key)
      return want !== undefined && isUsed(want, now)
    },
    /** How often in a row. */
    failed,
    died: (spec: SpareSpec, livedMillis: number, now: number) => {
      if (livedMillis < livesMillis) failed(spec, now)
    },
    taken: ({ key }: SpareSpec) => {
      const want = wants.get(key)
      if (want !== undefined) wants.set(key, { ...want, failures: 0, notBefore: 0 })
    },
    /** Also where it must not be tried again yet, and those that `due` has not forgotten yet. */
    isAny: () => wants.size > 0,
    /** What is to be there, the last used first. */
    due: (now: number): ReadonlyArray<Want> => {
      for (const [key, want] of wants) if (!isUsed(want, now)) wants.delete(key)
      return [...wants.values()].filter((want) => isExpected(want) && now >= want.notBefore).toReversed()
    }
  } as const
}
