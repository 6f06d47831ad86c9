/**
 * How long the agents of each name are usually silent in a turn while no tool of theirs runs: they think, or wait for their
 * model. Counted since this Troupe was started, in classes of a quarter each, so that an agent costs a few hundred bytes.
 */
const shortestMillis = 1_000
const factor = 1.25
const classes = 60
/** Of fewer silences nothing is said: the longest of ten is no rule. */
const leastCounted = 20

export class Silences {
  /** How many silences of each class an agent has had. */
  readonly #counts = new Map<string, Uint32Array>()

  /** A silence that has ended. What is shorter than a second is none. */
  ended(agent: string, millis: number): void {
    if (millis < shortestMillis) return
    let counts = this.#counts.get(agent)
    if (counts === undefined) this.#counts.set(agent, (counts = new Uint32Array(classes)))
    const nth = Math.min(classes - 1, Math.floor(Math.log(millis / shortestMillis) / Math.log(factor)))
    counts[nth] = (counts[nth] ?? 0) + 1
  }

  /** 99 of 100 silences of the agent were not longer; `null`: there were too few to say. */
  usual(agent: string): number | null {
    const counts = this.#counts.get(agent)
    if (counts === undefined) return null
    const all = counts.reduce((sum, count) => sum + count, 0)
    if (all < leastCounted) return null
    let left = Math.ceil(all * 0.99)
    const nth = counts.findIndex((count) => (left -= count) <= 0)
    return Math.round(shortestMillis * factor ** (nth + 1))
  }
}
