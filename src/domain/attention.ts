/**
 * Which sessions need a person, and why. The rules are one pure function: the dashboard's home, the notifications of browsers
 * and the webhooks' event have them from here.
 *
 * Times are milliseconds since 1970.
 */
import { ofProcessor, wholeProcessor } from "./heldUp.ts"
import type { HeldUp } from "./heldUp.ts"
import type { AppName, SessionId } from "./Ids.ts"
import type { Limits } from "./Settings.ts"
import type { FailureClass, TurnStatus } from "./Turn.ts"

/** From when on a silence of an agent in its turn is long. */
export interface SilenceBounds {
  /** No silence that is shorter counts, however talkative the agent usually is. */
  readonly leastSilenceMillis: number
  /** Where the agent's usual silence is not known yet. */
  readonly unknownSilenceMillis: number
}

/** How long each may last before it needs somebody. */
export interface AttentionBounds extends SilenceBounds {
  /** An approval, or a question, that nobody has answered. */
  readonly askedMillis: number
  /** A turn in the line for a process. */
  readonly queuedMillis: number
  /** So long a failed turn counts, where none came after it. */
  readonly failedMillis: number
  /** The silence of an agent one of whose processes is stopped: it ends when somebody continues that, and not before. */
  readonly stoppedMillis: number
}

export const attentionBoundsOf = ({
  attentionAskedMillis: askedMillis,
  attentionQueuedMillis: queuedMillis,
  attentionSilentMillis: leastSilenceMillis
}: Pick<Limits, "attentionAskedMillis" | "attentionQueuedMillis" | "attentionSilentMillis">): AttentionBounds => ({
  askedMillis,
  queuedMillis,
  leastSilenceMillis,
  unknownSilenceMillis: 5 * leastSilenceMillis,
  failedMillis: 86_400_000,
  stoppedMillis: Math.min(10_000, leastSilenceMillis)
})

interface OfSession {
  readonly session: SessionId
  readonly app: AppName
  readonly agent: string
  readonly turn: number
}

/** What a session, or a kind of agent, is in that may need somebody. */
export type Situation =
  | (OfSession & {
      readonly _tag: "Asked"
      readonly approval: string
      readonly title: string
      /** It wants more than a yes or no. */
      readonly isQuestion: boolean
      readonly at: number
    })
  | (OfSession & {
      readonly _tag: "Parked"
      readonly reason: string
      readonly since: number
      readonly until: number | null
    })
  | (OfSession & {
      readonly _tag: "AtWork"
      /** When its agent wrote something last, or got the turn. */
      readonly heardAt: number
      /** 99 of 100 silences of this agent were not longer; `null`: too few are known, or a tool of its runs. */
      readonly usualSilenceMillis: number | null
      /** `null`: nothing, or it was not looked at. */
      readonly heldUp: HeldUp | null
      /** The part of a processor that they use, of its own where no tool runs; 0: not measured. */
      readonly used: number
    })
  | (OfSession & { readonly _tag: "Queued"; readonly since: number })
  /** Its last turn, and no other is on its way. */
  | (OfSession & {
      readonly _tag: "Failed"
      readonly status: TurnStatus
      readonly class: FailureClass | null
      readonly message: string
      readonly endedAt: number
    })
  | {
      readonly _tag: "CircuitOpen"
      readonly agent: string
      /** Of several nodes, the one that does not start it. */
      readonly node: string | null
      readonly reason: string
      readonly until: number
    }

export type AttentionKind = "circuit" | "asked" | "parked" | "unknown" | "failed" | "silent" | "queued"

/** Something that needs a person. */
export interface Attention {
  readonly kind: AttentionKind
  /** When it began; `null`: not known. */
  readonly since: number | null
  /** In a sentence, without the session's name. */
  readonly what: string
  readonly situation: Situation
}

/** Of one session only the first counts: a session that is parked has a failed turn as well. */
const precedence: ReadonlyArray<AttentionKind> = ["circuit", "asked", "parked", "unknown", "failed", "silent", "queued"]

/** Those that need somebody now: circuits first, since each holds up many sessions, then the oldest first. */
export const needsAttention = (
  situations: ReadonlyArray<Situation>,
  now: number,
  bounds: AttentionBounds
): ReadonlyArray<Attention> => {
  const first = new Map<string, Attention>()
  for (const situation of situations) {
    const attention = attentionOf(situation, now, bounds)
    if (attention === null) continue
    const key = situation._tag === "CircuitOpen" ? `${situation.node} ${situation.agent}` : situation.session
    const other = first.get(key)
    if (other === undefined || precedes(attention, other)) first.set(key, attention)
  }
  return [...first.values()].toSorted((a, b) => (a.since ?? 0) - (b.since ?? 0))
}

/** The same kind may come twice: an agent that asks two things. */
const precedes = (one: Attention, other: Attention): boolean => {
  const rank = precedence.indexOf(one.kind) - precedence.indexOf(other.kind)
  return rank < 0 || (rank === 0 && (one.since ?? 0) < (other.since ?? 0))
}

const attentionOf = (situation: Situation, now: number, bounds: AttentionBounds): Attention | null => {
  const found = (kind: AttentionKind, since: number | null, what: string): Attention => ({
    kind,
    since,
    what,
    situation
  })
  switch (situation._tag) {
    case "Asked": {
      const { agent, at, isQuestion, title } = situation
      return now - at < bounds.askedMillis
        ? null
        : found("asked", at, `${agent} ${isQuestion ? "asks" : "asks for permission"}: ${title}`)
    }
    case "Parked": {
      const { reason, since } = situation
      return found("parked", since, reason === "" ? "It is parked." : `It is parked: ${reason}`)
    }
    case "AtWork": {
      const { heardAt, heldUp, turn, used } = situation
      const silence = now - heardAt
      const held = heldUp?.kind === "stopped" ? bounds.stoppedMillis : bounds.leastSilenceMillis
      if (heldUp !== null && silence >= held) return found("silent", heardAt, heldUp.verdict)
      if (silence < silenceThatCounts(situation, bounds)) return null
      // A list has room for the beginning.
      const loops = used < wholeProcessor ? "" : `It looks like a busy loop: it uses ${ofProcessor(used)}. `
      return found(
        "silent",
        heardAt,
        `${loops}Nothing is heard of its agent in turn ${turn}, for longer than is usual.`
      )
    }
    case "Queued": {
      const { since, turn } = situation
      return now - since < bounds.queuedMillis
        ? null
        : found("queued", since, `Turn ${turn} waits for a process slot: all are taken.`)
    }
    case "Failed": {
      const { endedAt, message, status, turn } = situation
      if (now - endedAt > bounds.failedMillis) return null
      if (situation.class === "outcome_unknown") {
        const what = `Troupe stopped while turn ${turn} ran, so its outcome is not known: look at what was done before it is sent again.`
        return found("unknown", endedAt, what)
      }
      const how = status === "timed_out" ? "ran out of time" : "failed"
      return found("failed", endedAt, `Turn ${turn} ${how}${message === "" ? "." : `: ${message}`}`)
    }
    case "CircuitOpen": {
      const { agent, node, reason } = situation
      const where = node === null ? "" : ` on ${node}`
      return found("circuit", null, `${agent} is not started${where}, because its starts keep failing: ${reason}`)
    }
    default:
      return situation satisfies never
  }
}

/**
 * From which silence on its agent's is longer than usual. An agent that computes says nothing about what it waits for, so
 * where no usual silence is known it needs no patience beyond the least.
 */
export const silenceThatCounts = (
  { used, usualSilenceMillis }: Pick<Extract<Situation, { readonly _tag: "AtWork" }>, "used" | "usualSilenceMillis">,
  { leastSilenceMillis, unknownSilenceMillis }: SilenceBounds
): number =>
  usualSilenceMillis !== null
    ? Math.max(leastSilenceMillis, usualSilenceMillis)
    : used >= wholeProcessor
      ? leastSilenceMillis
      : unknownSilenceMillis
