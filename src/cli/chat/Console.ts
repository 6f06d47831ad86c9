/**
 * Where a chat takes place: what a person writes, and what is written for them.
 *
 * A terminal has lines to edit and single keys; where stdin or stdout is none, every input is a line, so that a chat can
 * be scripted.
 */
export type Input =
  /** `seen`: it stands where the person wrote it. */
  | { readonly _tag: "Line"; readonly text: string; readonly seen: boolean }
  /** One key, where one was asked for. */
  | { readonly _tag: "Key"; readonly key: string }
  | { readonly _tag: "Interrupt" }
  /** Ctrl-D, or the end of stdin. */
  | { readonly _tag: "End" }
  | { readonly _tag: "Broken"; readonly problem: string }

/** What is listened for. */
export type Listening =
  | { readonly _tag: "Line"; readonly prompt: string }
  /** A turn runs: a line that is written now is for later. */
  | { readonly _tag: "Turn" }
  | { readonly _tag: "Key"; readonly prompt: string }

export interface Console {
  readonly interactive: boolean
  /** Above whatever is being written. */
  readonly write: (text: string) => void
  /** The same again changes nothing. */
  readonly listen: (to: Listening) => void
  /** Ends the line on which a key was asked for. */
  readonly answered: (text: string) => void
  /** So many lines were used: as many more may come. */
  readonly used: (lines: number) => void
  /** Gives the terminal back as it was. */
  readonly close: () => void
}

export type Hear = (input: Input) => void
