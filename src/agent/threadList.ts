/** The list of the conversations that an agent has on this machine. */

/** A conversation that an agent has, ours or not. `updatedAt` in milliseconds since 1970. */
export interface ThreadSummary {
  readonly id: string
  readonly cwd: string | null
  readonly title: string | null
  readonly updatedAt: number | null
}

export interface ThreadQuery {
  /** Only those of this directory; `null`: all. */
  readonly cwd: string | null
  /** From the last page's `next`. */
  readonly cursor: string | null
  readonly limit: number
}

export interface ThreadPage {
  readonly threads: ReadonlyArray<ThreadSummary>
  readonly next: string | null
}
