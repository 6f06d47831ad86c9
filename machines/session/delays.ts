/** What of the session machine's delays an operator can set, and those that are the machine's own. */
export interface SessionBounds {
  readonly poolWaitMillis: number
  readonly hibernateAfterMillis: number
  readonly restartIntensity: number
  readonly restartPeriodMillis: number
  /** More than the start of any agent may take; a minute where it is absent. */
  readonly startWithinMillis?: number
}

export const defaultBounds: SessionBounds = {
  poolWaitMillis: 30_000,
  hibernateAfterMillis: 300_000,
  restartIntensity: 3,
  restartPeriodMillis: 60_000
}

export const startWithin = ({ startWithinMillis }: SessionBounds): number => startWithinMillis ?? 60_000

export const fixedDelays = {
  interruptAgain: 2_000,
  interruptWithin: 8_000,
  // Claude lingers for up to 5 s after its stdin closes, and acpx takes 3 s to end its owner.
  exitWithin: 5_000,
  terminateWithin: 3_000,
  killAgain: 15_000
} as const
