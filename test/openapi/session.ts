/** What a session by a client that was generated has to come to, whichever generator made the client. */

/** An approval is asked for in it. */
export const prompt = "Say it.\nask-tool echo allowed"

export interface Account {
  readonly sessionId: string
  readonly meta: Readonly<Record<string, unknown>>
  /** The text of the turn that was answered as JSON. */
  readonly answer: string
  /** The turn that was streamed: the agent's text as it came, and what the result says. */
  readonly streamedText: string
  readonly resultText: string
  readonly approvals: ReadonlyArray<string>
  /** The roles of the conversation at the end. */
  readonly roles: ReadonlyArray<string>
  /** The methods of the session's whole stream. */
  readonly methods: ReadonlySet<string>
  /** The code of the refusal of a turn after the close. */
  readonly refusal: string
}

export type RunSession = (server: { readonly url: string; readonly token: string }) => Promise<Account>
