/** What the loop of a chat hears of: the person, the session, and what comes of its own requests. */
import type { CommandFailed } from "../failures.ts"
import type { Told } from "../narration.ts"
import type { Input } from "./Console.ts"
import type { Question } from "./Conversation.ts"

export type Line = Extract<Input, { readonly _tag: "Line" }>

export type Happening =
  | Input
  | { readonly _tag: "Signal"; readonly signal: "SIGINT" | "SIGTERM" | "SIGHUP" }
  | { readonly _tag: "Told"; readonly message: Told }
  | { readonly _tag: "Asked"; readonly question: Question | null }
  | { readonly _tag: "Accepted"; readonly turn: Running }
  /** `turn`: the one that was asked for, where it was one. */
  | { readonly _tag: "Refused"; readonly turn: Running | null; readonly error: CommandFailed }
  | { readonly _tag: "Says"; readonly text: string | null }
  /** The session has nothing more to tell. */
  | { readonly _tag: "Gone"; readonly error: CommandFailed | null }

/** The turn that runs, from the line that asks for it to its end. */
export interface Running {
  accepted: boolean
  /** With its agent. */
  steerable: boolean
  interrupted: boolean
}
