/**
 * The result of a turn for an app that keeps its conversation in OpenAI's message shape, as if the app had run the tool
 * loop itself. A failure is a result too: `error` says what went wrong, and `finalResponse` how to carry on.
 */
import { noUsage } from "../domain/Turn.ts"
import type { Message, Usage } from "../domain/Turn.ts"
import type { NamesOf } from "./checkOptions.ts"
import type { TroupeError } from "../backend/TroupeError.ts"
import type { TurnOutcome } from "../domain/TurnOutcome.ts"

export interface ConversationOptions {
  /**
   * The conversation so far as the app keeps it: the new messages are appended to these. Where it already ends with the
   * input, the input is not repeated. Absent: the messages of this session. An agent that no prompt of this session has
   * reached gets them as text in front of the input, 64 Ki characters at most, the newest first (`_troupe/context_given` in
   * `events` says what it got); any other gets none of them, because it has the conversation.
   */
  readonly messages?: ReadonlyArray<Message>
  /** Interrupts the turn. */
  readonly signal?: AbortSignal
  /** Replaces the configured turn timeout. */
  readonly timeoutMillis?: number
}

export const conversationOptionNames: NamesOf<ConversationOptions> = {
  messages: true,
  signal: true,
  timeoutMillis: true
}

export interface ConversationResult {
  /** The text of the last agent message; of a turn that failed, a sentence that says why, and how to carry on. */
  readonly finalResponse: string
  /** The whole conversation so far, the new messages included. */
  readonly messages: ReadonlyArray<Message>
  /** 1 for a turn that reached the agent, 0 for one that never did. */
  readonly apiCalls: number
  /** Neither interrupted nor failed. */
  readonly completed: boolean
  readonly partial: boolean
  readonly interrupted: boolean
  /** The cause of a failure, or the reason of an interrupt; `null`: neither, or the agent stopped by itself. */
  readonly error: string | null
  readonly toolIterations: number
  readonly usage: Usage
  /** The agent's own id of the conversation, whichever agent it is. */
  readonly codexThreadId: string | null
  /** Its id of the turn; agents of the Agent Client Protocol have none. */
  readonly codexTurnId: string | null
}

/** Why the turn was interrupted: what the caller's signal says, else what the request said; `null`: it was not, or nobody said. */
export const reasonOfInterrupt = (
  { completed, interrupted, ok }: Pick<TurnOutcome, "completed" | "interrupted" | "ok">,
  stored: string | null,
  signal: AbortSignal | undefined
): string | null => {
  // A turn that a deadline has ended was interrupted, too.
  if (!interrupted || !ok || completed) return null
  const given: unknown = signal?.aborted ? signal.reason : undefined
  if (typeof given === "string" && given !== "") return given
  // An abort without a reason has an AbortError, which says nothing.
  if (given instanceof Error && given.name !== "AbortError" && given.message !== "") return given.message
  return stored
}

/** `outcome` is that of the turn with the prompt `input`, and `reason` says why it was interrupted. */
export const conversationOf = (
  agent: string,
  input: string,
  before: ReadonlyArray<Message>,
  outcome: TurnOutcome,
  reason: string | null
): ConversationResult => ({
  finalResponse: outcome.error === null ? outcome.finalText : failureSentence(agent, outcome.error),
  messages: joined(input, before, outcome.messages),
  apiCalls: outcome.apiCalls,
  completed: outcome.completed,
  partial: outcome.partial,
  interrupted: outcome.interrupted,
  error: outcome.error ?? reason,
  toolIterations: outcome.toolIterations,
  usage: outcome.usage,
  codexThreadId: outcome.threadId,
  codexTurnId: outcome.agentTurnId
})

/** The result where the turn was refused, so that there is no outcome. */
export const refusedConversation = (
  agent: string,
  input: string,
  before: ReadonlyArray<Message>,
  { code, message }: TroupeError
): ConversationResult => {
  const error = `${code}: ${message}`
  return {
    finalResponse: failureSentence(agent, error),
    messages: joined(input, before, [{ role: "user", content: input }]),
    apiCalls: 0,
    completed: false,
    partial: true,
    interrupted: false,
    error,
    toolIterations: 0,
    usage: noUsage,
    codexThreadId: null,
    codexTurnId: null
  }
}

/** `added` begins with the user's message: where `before` ends with it, it is taken from `added`. */
const joined = (input: string, before: ReadonlyArray<Message>, added: ReadonlyArray<Message>) => {
  const last = before.at(-1)
  const earlier = last?.role === "user" && last.content === input ? before.slice(0, -1) : before
  return [...earlier, ...added]
}

/** Quotes the first line of the error only: the others are the agent's stderr. */
const failureSentence = (agent: string, error: string): string =>
  `The turn failed (${error.split("\n", 1)[0]}). To carry on without this agent, set \`agent\` in createSession (or \`defaultAgent\` in openTroupe) to another one than ${JSON.stringify(agent)}.`
