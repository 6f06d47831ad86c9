/**
 * Puts codex's questions to a person, and answers with what the person said.
 *
 * `item/tool/requestUserInput` is the model's own tool, of one to three questions (0.171). `mcpServer/elicitation/request`
 * with a form is a question of an MCP server. A person who declines gives the one no answers, and the other a `decline`.
 */
import { Deferred, Effect } from "effect"
import { cut } from "../../domain/cut.ts"
import { listIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { Answers, QuestionField } from "../../domain/Question.ts"
import { contentOf, fieldsOf } from "../acp/questionForm.ts"
import type { AgentQuestion, OpenRequest } from "../Agent.ts"
import type { Translator } from "./Translator.ts"

export interface QuestionsOptions {
  readonly translator: Pick<Translator, "markApproval">
  readonly ask: OpenRequest["ask"]
  readonly toWireLine: (raw: string) => string
}

export interface Questions {
  readonly userInput: (params: JsonObject, id: unknown, raw: string) => Effect.Effect<unknown>
  readonly elicitation: (params: JsonObject, id: unknown, raw: string) => Effect.Effect<unknown>
  /** Codex needs no answer to the request with this id any more. */
  readonly resolved: (id: unknown) => Effect.Effect<void>
}

const declined = { action: "decline", content: null }

export const make = ({ ask, toWireLine, translator }: QuestionsOptions): Questions => {
  /** By codex's request id: settles an open question without an answer. */
  const open = new Map<unknown, Deferred.Deferred<Answers | null>>()
  let count = 0

  const put = (
    params: JsonObject,
    requestId: unknown,
    raw: string,
    question: Pick<AgentQuestion, "fields" | "title">
  ): Effect.Effect<Answers | null> =>
    Effect.suspend(() => {
      const { toolCallId, turn } = translator.markApproval(params, false)
      const withdrawn = Deferred.makeUnsafe<Answers | null>()
      const id = `question-${(count += 1)}`
      open.set(requestId, withdrawn)
      return ask({ id, turn, toolCallId, ...question, raw: params, wire: toWireLine(raw) }).pipe(
        Effect.raceFirst(Deferred.await(withdrawn)),
        Effect.ensuring(Effect.sync(() => open.delete(requestId)))
      )
    })

  return {
    userInput: (params, id, raw) => {
      const fields = listIn(params["questions"]).flatMap((question) => fieldOf(objectIn(question)))
      if (fields.length === 0) return Effect.succeed({ answers: {} })
      const title = cut(fields.map(({ label }) => label).join(" "), 500)
      return Effect.map(put(params, id, raw, { title, fields }), (answers) => ({
        answers: Object.fromEntries(fields.map((field) => [field.id, { answers: textsOf(field, answers) }]))
      }))
    },
    elicitation: (params, id, raw) => {
      const fields = params["mode"] === "form" ? fieldsOf(params["requestedSchema"]) : null
      if (fields === null) return Effect.succeed(declined)
      const title = cut(`${textIn(params["serverName"]) ?? "MCP"}: ${textIn(params["message"]) ?? "a question"}`, 500)
      return Effect.map(put(params, id, raw, { title, fields }), (answers) =>
        answers === null ? declined : { action: "accept", content: contentOf(fields, answers) }
      )
    },
    resolved: (id) =>
      Effect.suspend(() => {
        const withdrawn = open.get(id)
        return withdrawn === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(withdrawn, null))
      })
  }
}

/** Codex answers the model by the options' labels. A question that a person leaves out has no answer. */
const fieldOf = (question: JsonObject): ReadonlyArray<QuestionField> => {
  const id = textIn(question["id"])
  if (id === null) return []
  const header = textIn(question["header"]) ?? ""
  const base = {
    id,
    label: textIn(question["question"]) ?? header,
    ...(header === "" ? {} : { description: header }),
    required: false,
    ...(question["isSecret"] === true ? { secret: true } : {})
  }
  const options = listIn(question["options"]).flatMap((option) => {
    const { description, label } = objectIn(option)
    const value = textIn(label)
    const about = textIn(description) ?? ""
    return value === null ? [] : [{ value, label: value, ...(about === "" ? {} : { description: about }) }]
  })
  if (options.length === 0) return [{ ...base, type: "text" }]
  return [{ ...base, type: "choice", options, ...(question["isOther"] === true ? { other: true } : {}) }]
}

const textsOf = ({ id }: QuestionField, answers: Answers | null): ReadonlyArray<string> => {
  const answer = answers !== null && Object.hasOwn(answers, id) ? answers[id] : undefined
  if (answer === undefined) return []
  return Array.isArray(answer) ? answer.map(String) : [String(answer)]
}
