/** The turns of a codex thread: which prompt each turn id belongs to, whether the turn has ended, and what it used. */
import { addUsage, noUsage } from "../../domain/Turn.ts"
import type { Usage } from "../../domain/Turn.ts"
import { forgetOldest } from "../forgetOldest.ts"

/** How many turns are remembered for late notifications. Those of a forgotten turn belong to no turn. */
const maxTurns = 64

export interface Running {
  readonly turn: number
  /** `null` until codex has given it. */
  readonly agentTurnId: string | null
  /** `turn/started` has come. Before it an interrupt finds "no active turn". */
  readonly started: boolean
}

interface Turn {
  readonly index: number
  ended: boolean
  usage: Usage | null
}

export interface Turns {
  /** A prompt is about to be written. */
  readonly begin: (turn: number) => void
  /** `turn/start` failed: there is no such turn. */
  readonly dropPrompt: () => void
  /** The reply to `turn/start` has this id. Gives the turn's index, or `null` where the id is known already. */
  readonly identify: (agentTurnId: string) => number | null
  /** `turn/started` has this id, and may be the first message that has it. Gives the same as `named`. */
  readonly started: (agentTurnId: string) => number | null
  /** Gives the turn at its first end, if it belongs to a prompt. */
  readonly ended: (agentTurnId: string) => { readonly index: number; readonly usage: Usage | null } | null
  readonly recordUsage: (agentTurnId: string | null, total: Usage, last: Usage) => void
  readonly indexOf: (agentTurnId: string | null) => number | null
  readonly running: () => Running | null
}

export const make = (): Turns => {
  const turns = new Map<string, Turn>()
  let running: Running | null = null
  let lastTotal: Usage | null = null

  const identify = (agentTurnId: string): number | null => {
    if (running === null || running.agentTurnId === agentTurnId) return null
    // Two ids for one prompt: another turn began first (codex can start one by itself). The id of the reply is right.
    if (running.agentTurnId !== null) turns.delete(running.agentTurnId)
    turns.set(agentTurnId, { index: running.turn, ended: false, usage: null })
    forgetOldest(turns, maxTurns)
    running = { turn: running.turn, agentTurnId, started: false }
    return running.turn
  }

  return {
    begin: (turn) => {
      running = { turn, agentTurnId: null, started: false }
    },
    dropPrompt: () => {
      running = null
    },
    identify: identify,
    started: (agentTurnId) => {
      const index = running?.agentTurnId === null ? identify(agentTurnId) : null
      if (running?.agentTurnId === agentTurnId) running = { ...running, started: true }
      return index
    },
    ended: (agentTurnId) => {
      const turn = turns.get(agentTurnId)
      if (turn === undefined || turn.ended) return null
      turn.ended = true
      if (running?.agentTurnId === agentTurnId) running = null
      return turn
    },
    // A turn's usage is the increase of the thread's total, because `last` is repeated around a compaction and is an
    // estimate after it. The first total of a connection has no predecessor; it is taken to have increased by `last`.
    recordUsage: (agentTurnId, total, last) => {
      const before = lastTotal ?? difference(total, last)
      lastTotal = total
      const turn = agentTurnId === null ? undefined : turns.get(agentTurnId)
      if (turn !== undefined) turn.usage = addUsage(turn.usage ?? noUsage, difference(total, before))
    },
    indexOf: (agentTurnId) => (agentTurnId === null ? null : (turns.get(agentTurnId)?.index ?? null)),
    running: () => running
  }
}

/** No field is below zero. */
const difference = (a: Usage, b: Usage): Usage => ({
  inputTokens: Math.max(0, a.inputTokens - b.inputTokens),
  cachedInputTokens: Math.max(0, a.cachedInputTokens - b.cachedInputTokens),
  outputTokens: Math.max(0, a.outputTokens - b.outputTokens),
  reasoningTokens: Math.max(0, a.reasoningTokens - b.reasoningTokens),
  totalTokens: Math.max(0, a.totalTokens - b.totalTokens)
})
