/** The part of the terminal that lines are drawn for, and the time at which they are drawn. */
export interface Viewport {
  readonly columns: number
  readonly rows: number
  /** Seconds, by the server's clock. */
  readonly now: number
}
