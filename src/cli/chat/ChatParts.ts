/** The state of a chat between two of its events, and the parts that its handlers share. */
import type { Effect, Fiber } from "effect"
import type { CommandFailed } from "../failures.ts"
import type { Narrator } from "../narration.ts"
import { oneLine, paint } from "../terminal.ts"
import type { ApprovalPrompts } from "./ApprovalPrompts.ts"
import type { ChatEvent, Line, RunningTurn } from "./ChatEvent.ts"
import type { Console } from "./Console.ts"
import type { ActiveConversation } from "./ActiveConversation.ts"
import type { Past } from "./Conversation.ts"
import * as Words from "./words.ts"

export interface ChatState {
  running: RunningTurn | null
  /** Lines that are not processed yet, in order. */
  lines: ReadonlyArray<Line>
  /** The beginning of a line that is continued in the next one. */
  begun: string
  context: Words.Context | null
  /** Ids of the files that go with the next turn. */
  attached: ReadonlyArray<string>
  inputEnded: boolean
  /** A turn was refused or has failed. */
  failed: boolean
  /** `null`: the chat goes on. */
  exitCode: number | null
}

/** `past` is printed before anything else happens. */
export const initialState = (past: Past | null): ChatState => ({
  running: past === null ? null : { past, announced: true, accepted: true, steerable: false, interrupted: false },
  lines: [],
  begun: "",
  context: null,
  attached: [],
  inputEnded: false,
  failed: false,
  exitCode: null
})

/** Prints lines of the chat's own between the output of the agent. `null` prints nothing. */
export interface ChatOutput {
  readonly print: (text: string | null) => void
  readonly note: (text: string | null) => void
  readonly complain: (text: string, after?: string) => void
}

export const makeOutput = (console: Console, narrator: Narrator): ChatOutput => {
  const { json } = console
  if (json !== undefined) {
    const remark = (text: string | null) => (text === null ? undefined : json.remark(text))
    return { print: remark, note: remark, complain: json.problem }
  }
  const print = (text: string | null) => {
    if (text !== null) console.write(narrator.line(text))
  }
  return {
    print,
    note: (text) => print(text === null ? null : Words.quiet(text)),
    complain: (text, after = "") => print(paint("red", `✗ ${oneLine(text)}`) + after)
  }
}

export interface ChatParts {
  readonly conversation: ActiveConversation["current"]
  readonly moveTo: ActiveConversation["moveTo"]
  readonly leaveOpen: ActiveConversation["leaveOpen"]
  readonly staysOpen: ActiveConversation["staysOpen"]
  readonly console: Console
  readonly narrator: Narrator
  readonly approvals: ApprovalPrompts
  readonly output: ChatOutput
  readonly state: ChatState
  /**
   * Performs a request beside the loop, which gets its result or its failure as an event. `turn`: the turn that the request
   * submits.
   */
  readonly perform: (
    request: Effect.Effect<ChatEvent | void, CommandFailed>,
    turn?: RunningTurn
  ) => Effect.Effect<Fiber.Fiber<void>>
}
