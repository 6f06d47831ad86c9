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

export interface Questions {
  readonly answer: (params: unknown, id: unknown, wire: string) => Effect.Effect<Response>
}

const titleCharacters = 500

export const make = (tracker: TurnTracker, openRequests: OpenRequests, ask: OpenRequest["ask"]): Questions => {
  let count = 0

  return {
    answer: (params, id, wire) =>
      Effect.suspend((): Effect.Effect<Response> => {
        const { message, mode, requestedSchema, sessionId, toolCallId } = objectIn(params)
        // A page that a person would have to open, or a question outside of any session, such as about a login.
        const fields =
          mode === "form" && nonEmptyTextIn(sessionId) !== null ? QuestionForm.fieldsOf(requestedSchema) : null
        if (fields === null) return Effect.succeed({ action: "decline" })
        const question = {
          id: `question-${(count += 1)}`,
          turn: tracker.running(),
          title: line(nonEmptyTextIn(message) ?? "A question of the agent", titleCharacters),
          fields,
          toolCallId: nonEmptyTextIn(toolCallId),
          raw: params,
          wire
        }
        const answered = Effect.map(ask(question), (answers): Response =>
          answers === null
            ? { action: "decline" }
            : { action: "accept", content: QuestionForm.contentOf(fields, answers) }
        )
        return openRequests.answer(id, { action: "cancel" } as Response, answered)
      })
  }
}
