/** The questions of an ACP agent to a person (`elicitation/create`), which are no requests for permission. */
import { Effect } from "effect"
import { nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { AnswerValue } from "../../domain/Question.ts"
import type { OpenRequest } from "../Agent.ts"
import type { OpenRequests } from "./OpenRequests.ts"
import * as QuestionForm from "./questionForm.ts"
import { line } from "./sentence.ts"
import type { TurnTracker } from "./TurnTracker.ts"

/** ACP's `CreateElicitationResponse`. */
export type Response =
  | { readonly action: "accept"; readonly content: Readonly<Record<string, AnswerValue>> }
  | { readonly action: "decline" }
  | { readonly action: "cancel" }

const titleCharacters = 500

export class Questions {
  readonly #tracker: TurnTracker
  readonly #openRequests: OpenRequests
  readonly #ask: OpenRequest["ask"]
  #count = 0

  constructor(tracker: TurnTracker, openRequests: OpenRequests, ask: OpenRequest["ask"]) {
    this.#tracker = tracker
    this.#openRequests = openRequests
    this.#ask = ask
  }

  answer(params: unknown, id: unknown, wire: string): Effect.Effect<Response> {
    return Effect.suspend((): Effect.Effect<Response> => {
      const { message, mode, requestedSchema, sessionId, toolCallId } = objectIn(params)
      // A page that a person would have to open, or a question outside of any session, such as about a login.
      const fields =
        mode === "form" && nonEmptyTextIn(sessionId) !== null ? QuestionForm.fieldsOf(requestedSchema) : null
      if (fields === null) return Effect.succeed({ action: "decline" })
      const question = {
        id: `question-${(this.#count += 1)}`,
        turn: this.#tracker.running(),
        title: line(nonEmptyTextIn(message) ?? "A question of the agent", titleCharacters),
        fields,
        toolCallId: nonEmptyTextIn(toolCallId),
        raw: params,
        wire
      }
      const answered = Effect.map(this.#ask(question), (answers): Response =>
        answers === null
          ? { action: "decline" }
          : { action: "accept", content: QuestionForm.contentOf(fields, answers) }
      )
      return this.#openRequests.answer(id, { action: "cancel" } as Response, answered)
    })
  }
}
