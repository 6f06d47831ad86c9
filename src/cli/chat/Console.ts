/**
 * The console of a chat: the input of a person, and the output for them.
 *
 * A terminal has line editing and single keys; where stdin or stdout is no terminal every input is a line, so that a chat
 * can be scripted.
 */
import type { ChatMessage } from "./Conversation.ts"

export type Input =
  /** `echoed`: the terminal shows the line where the person typed it. */
  | {
      readonly _tag: "Line"
      readonly text: string
      readonly echoed: boolean
      /** It was typed at the prompt of a question. */
      readonly isAnswer?: boolean
    }
  /** A single key, where one is expected. */
  | { readonly _tag: "Key"; readonly key: string }
  | { readonly _tag: "Interrupt" }
  /** Ctrl-D, or the end of stdin. */
  | { readonly _tag: "End" }
  | { readonly _tag: "Broken"; readonly problem: string }

/** The input that is expected next. */
export type Expected =
  | { readonly _tag: "Line"; readonly prompt: string }
  /** A turn runs: a line that is typed now is queued. */
  | { readonly _tag: "Turn" }
  | { readonly _tag: "Key"; readonly prompt: string }
  /** A line that answers a question, which may be empty. `isSecret`: it is not shown. */
  | { readonly _tag: "Answer"; readonly prompt: string; readonly isSecret: boolean }

export interface Console {
  readonly interactive: boolean
  /** Writes above the line that is being typed. */
  readonly write: (text: string) => void
  /** Repeating the same expectation has no effect. */
  readonly expect: (input: Expected) => void
  /** Ends the line of the prompt for a key, and, without a terminal, of that for an answer. */
  readonly answered: (text: string) => void
  /** So many lines were processed: as many more may be read. */
  readonly used: (lines: number) => void
  /** Restores the terminal. */
  readonly close: () => void
  /** The output of a chat of a program's. */
  readonly json?: JsonLines
}

/** Lines of JSON, for a program. */
export interface JsonLines {
  /** The chat is in this session from now on. */
  readonly opened: (conversation: { readonly id: string; readonly agent: string }) => void
  readonly event: (message: ChatMessage) => void
  readonly remark: (text: string) => void
  readonly problem: (text: string) => void
}

export type OnInput = (input: Input) => void
