/**
 * What must hold of a whole run of a cluster, by what the database, the agents, the apps and the kernel saw of it. The
 * numbers are those of the design's failure matrix; the rest is as on one machine (`test/torture/losses.ts`).
 */
import type { Life } from "./Sampler.ts"
import type { Witnessed } from "./witness.ts"

export interface History {
  readonly witnessed: Witnessed
  /** By lease. */
  readonly lives: ReadonlyMap<string, Life>
  readonly leaseMillis: number
  /** Starts of nodes whose agents could outlive them. */
  readonly unguarded: ReadonlySet<string>
}

/** A lease that was over may be renewed while its session is being taken: the claim had looked before. */
const justRenewedMillis = 300

/** (1) A session's epochs grow, one after the other, and only its owner writes for it. */
const owning = ({ leaseMillis, witnessed: { owners, tokens, writes } }: History): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const epochs = new Map<string, number>()
  for (const { after, before, epoch_after: epoch, epoch_before: old, lease_left: left, session, writer } of owners) {
    if (epoch < old) problems.push(`epoch ${epoch} of ${session} follows ${old}`)
    if (after !== null && after !== before && epoch <= old)
      problems.push(`${session} has a new owner in epoch ${epoch}`)
    if (epoch < (epochs.get(session) ?? 0)) problems.push(`epoch ${epoch} of ${session} came late`)
    epochs.set(session, epoch)
    if (after !== null && tokens.get(after) !== writer) problems.push(`${writer} gave ${session} to ${after}`)
    const isTaken = before !== null && after !== null && after !== before && tokens.get(before) !== writer
    if (isTaken && left !== null && left > 0 && left < leaseMillis - justRenewedMillis) {
      problems.push(`${writer} took ${session} from ${tokens.get(before)}, whose lease was good for ${left} ms`)
    }
  }
  const written = new Map<string, number>()
  for (const { epoch, owner, seq, session, what, writer } of writes) {
    const by = owner === null ? null : tokens.get(owner)
    if (by !== null && by !== writer)
      problems.push(`${what} ${seq} of ${session} was written by ${writer}, and ${by} had it`)
    if (epoch < (written.get(session) ?? 0))
      problems.push(`${what} ${seq} of ${session} is of epoch ${epoch}, and comes late`)
    written.set(session, epoch)
  }
  return problems
}

/** (2) A session never has two agents. Those of a node whose warden was killed, too, nobody could end. */
const oneAgent = ({ lives, unguarded, witnessed: { leases } }: History): ReadonlyArray<string> => {
  const bySession = Map.groupBy(
    leases.filter(({ session, writer }) => session !== null && !unguarded.has(writer)),
    ({ session }) => session
  )
  return [...bySession].flatMap(([session, of]) => {
    const seen = of
      .flatMap(({ lease, since, writer }) => {
        const life = lives.get(lease)
        // Before that it was a spare, and nobody's agent.
        return life === undefined || life.until < since ? [] : [{ ...life, from: Math.max(life.from, since), writer }]
      })
      .toSorted((a, b) => a.from - b.from)
    const problems: Array<string> = []
    let longest = seen[0]
    for (const life of seen.slice(1)) {
      if (longest !== undefined && life.from < longest.until) {
        const millis = Math.min(longest.until, life.until) - life.from
        problems.push(`${session} had two agents for ${millis} ms, of ${longest.writer} and of ${life.writer}`)
      }
      if (longest === undefined || life.until > longest.until) longest = life
    }
    return problems
  })
}

export const problemsOf = (history: History): ReadonlyArray<string> => [...owning(history), ...oneAgent(history)]
