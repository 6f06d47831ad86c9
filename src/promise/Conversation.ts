/**
 * A whole turn for an app that keeps its conversation in OpenAI's message shape: it looks as if the app had run the tool
 * loop itself. Never an exception: what went wrong is in the result, with how to carry on.
 */
import { noUsage } from "../domain/Turn.ts"
import type { Message, Usage } from "../domain/Turn.ts"
import type { TroupeError } from "./TroupeError.ts"
import type { TurnOutcome } from "../domain/TurnOutcome.ts"

export interface ConversationOptions {
  /**
   * The conversation so far as the app keeps it: the new messages are spliced in behind these. Where it ends with the
   * input already, that is not said twice. Absent: what was said in this session.
   */
  readonly messages?: ReadonlyArray<Message>
  /** Interrupts the turn. */
  readonly signal?: AbortSignal
  /** Replaces the configured turn timeout. */
  readonly timeoutMillis?: number
}

export interface ConversationResult {
  /** The text of the last agent message; of a turn that failed, a sentence on why, and on how to carry on. */
  readonly finalResponse: string
  /** The whole conversation so far, the new ones spliced in. */
  readonly messages: ReadonlyArray<Message>
  /** 1 for a turn that reached the agent, 0 for one that never did. */
  readonly apiCalls: number
  /** Neither interrupted nor failed. */
  readonly completed: boolean
  readonly partial: boolean
  readonly interrupted: boolean
  readonly error: string | null
  readonly toolIterations: number
  readonly usage: Usage
  /** The agent's own id of the conversation, whichever agent it is. */
  readonly codexThreadId: string | null
  /** Its id of the turn; agents of the Agent Client Protocol have none. */
  readonly codexTurnId: string | null
}

/** `outcome` is of the turn that `input` became. */
export const conversationOf = (
  agent: string,
  input: string,
  before: ReadonlyArray<Message>,
  outcome: TurnOutcome
): ConversationResult => ({
  finalResponse: outcome.error === null ? outcome.finalText : sorry(agent, outcome.error),
  messages: spliced(input, before, outcome.messages),
  apiCalls: outcome.apiCalls,
  completed: outcome.completed,
  partial: outcome.partial,
  interrupted: outcome.interrupted,
  error: outcome.error,
  toolIterations: outcome.toolIterations,
  usage: outcome.usage,
  codexThreadId: outcome.threadId,
  codexTurnId: outcome.agentTurnId
})

/** Of a turn that was refused, so that there is none. */
export const refusedConversation = (
  agent: string,
  input: string,
  before: ReadonlyArray<Message>,
  { code, message }: TroupeError
): ConversationResult => {
  const error = `${code}: ${message}`
  return {
    finalResponse: sorry(agent, error),
    messages: spliced(input, before, [{ role: "user", content: input }]),
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

/** The user's message once, first among the new ones. */
const spliced = (input: string, before: ReadonlyArray<Message>, said: ReadonlyArray<Message>) => {
  const last = before.at(-1)
  const known = last?.role === "user" && last.content === input ? before.slice(0, -1) : before
  return [...known, ...said]
}

/** Of the error its first line: what follows is the agent's stderr. */
const sorry = (agent: string, error: string): string =>
  `The turn failed (${error.split("\n", 1)[0]}). To carry on without this agent, set \`agent\` in createSession (or \`defaultAgent\` in openTroupe) to another one than ${JSON.stringify(agent)}.`
