/** The turns of a thread: which prompt each of codex's turn ids stands for, whether it has ended, what it used. */
import { addUsage, noUsage } from "../../domain/Turn.ts"
import type { Usage } from "../../domain/Turn.ts"
import { forgetOldest } from "../forgetOldest.ts"

/** Turns remembered for what comes late. Beyond, the oldest is forgotten, and its news belong to no turn. */
const maxTurns = 64

export interface Running {
  readonly turn: number
  /** `null` until codex has named it. */
  readonly agentTurnId: string | null
  /** `turn/started` was seen: before it an interrupt finds "no active turn". */
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
  /** `turn/start` was refused: there is no such turn. */
  readonly dropPrompt: () => void
  /** The prompt's turn has this id, by the reply to `turn/start`. Gives its index where that is news. */
  readonly named: (agentTurnId: string) => number | null
  /** `turn/started` came, which may be the first to name it. The same answer. */
  readonly started: (agentTurnId: string) => number | null
  /** Gives the turn the first time its end is told, if it is a prompt's. */
  readonly ended: (agentTurnId: string) => { readonly index: number; readonly usage: Usage | null } | null
  readonly recordUsage: (agentTurnId: string | null, total: Usage, last: Usage) => void
  readonly indexOf: (agentTurnId: string | null) => number | null
  readonly running: () => Running | null
}

export const make = (): Turns => {
  const turns = new Map<string, Turn>()
  let running: Running | null = null
  let lastTotal: Usage | null = null

  const named = (agentTurnId: string): number | null => {
    if (running === null || running.agentTurnId === agentTurnId) return null
    // Two names for one prompt: another turn began first (codex can start one by itself). The reply's is ours.
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
    named,
    started: (agentTurnId) => {
      const news = running?.agentTurnId === null ? named(agentTurnId) : null
      if (running?.agentTurnId === agentTurnId) running = { ...running, started: true }
      return news
    },
    ended: (agentTurnId) => {
      const turn = turns.get(agentTurnId)
      if (turn === undefined || turn.ended) return null
      turn.ended = true
      if (running?.agentTurnId === agentTurnId) running = null
      return turn
    },
    // What a turn used is how far the thread's total went up: `last` comes again around a compaction, and is an
    // estimate after one. A thread whose total was not seen before stood where this response began.
    recordUsage: (agentTurnId, total, last) => {
      const before = lastTotal ?? less(total, last)
      lastTotal = total
      const turn = agentTurnId === null ? undefined : turns.get(agentTurnId)
      if (turn !== undefined) turn.usage = addUsage(turn.usage ?? noUsage, less(total, before))
    },
    indexOf: (agentTurnId) => (agentTurnId === null ? null : (turns.get(agentTurnId)?.index ?? null)),
    running: () => running
  }
}

/** Never below zero. */
const less = (a: Usage, b: Usage): Usage => ({
  inputTokens: Math.max(0, a.inputTokens - b.inputTokens),
  cachedInputTokens: Math.max(0, a.cachedInputTokens - b.cachedInputTokens),
  outputTokens: Math.max(0, a.outputTokens - b.outputTokens),
  reasoningTokens: Math.max(0, a.reasoningTokens - b.reasoningTokens),
  totalTokens: Math.max(0, a.totalTokens - b.totalTokens)
})
