/** How long codex is waited for. */
import { longestDefaultStartMillis } from "../../domain/Settings.ts"

export interface Patience {
  readonly initializeMillis: number
  /** For `thread/start` or `thread/resume`, counted from the last sign of an MCP server that starts. */
  readonly threadMillis: number
  /** For all that opens the thread, whatever signs come. */
  readonly openMillis: number
  /** For a turn's end after its last `error`. */
  readonly endMillis: number
  /** Before an overloaded codex is asked again; twice as long each time, with jitter. */
  readonly overloadedMillis: number
  /** Before a process is started for one whose login was refused, at most. */
  readonly freshLoginMillis: number
}

const initializeMillis = 15_000

/**
 * Measured: initialize 0.1–0.2 s, thread/start 20 ms, the resume of a thread of 100 turns 0.1 s, and a failed turn's end
 * at once. `thread/start` waits for MCP servers that are required, which can take as long as a download.
 */
export const patience: Patience = {
  initializeMillis,
  threadMillis: 30_000,
  openMillis: longestDefaultStartMillis - initializeMillis,
  endMillis: 5_000,
  overloadedMillis: 250,
  freshLoginMillis: 2_000
}
