/** The events of a chat's loop: input of the person, messages of the session, and the results of its own requests. */
import type { CommandFailed } from "../failures.ts"
import type { Input } from "./Console.ts"
import type { ChatMessage, Past, PendingApproval } from "./Conversation.ts"

export type Line = Extract<Input, { readonly _tag: "Line" }>

export type ChatEvent =
  | Input
  | { readonly _tag: "Signal"; readonly signal: "SIGINT" | "SIGTERM" | "SIGHUP" }
  | { readonly _tag: "Message"; readonly message: ChatMessage }
  | { readonly _tag: "ApprovalRequested"; readonly approval: PendingApproval | null }
  | { readonly _tag: "Accepted"; readonly turn: RunningTurn }
  /** A request failed. `turn`: the turn that was submitted by it, where it was one. */
  | { readonly _tag: "RequestFailed"; readonly turn: RunningTurn | null; readonly error: CommandFailed }
  | { readonly _tag: "Notice"; readonly text: string | null }
  /** The session's stream has ended. */
  | { readonly _tag: "StreamEnded"; readonly error: CommandFailed | null }

/** The running turn, from the line that submits it to its end. */
export interface RunningTurn {
  /** Stands for the conversation of a session that was there, until it was printed: up to where, in its stream. */
  readonly past?: Past
  /** The session's stream has told of it. */
  announced: boolean
  accepted: boolean
  /** The turn is with its agent. */
  steerable: boolean
  interrupted: boolean
}
