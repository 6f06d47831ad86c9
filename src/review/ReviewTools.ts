/**
 * The two tools of a review, `memory` and `skill_manage`: their schemas, and how a call is carried out.
 *
 * Every call is answered: one that can't be carried out gets an error that says what to send instead. Only a failure of
 * the store ends the review.
 */
import { Effect, Option, Schema } from "effect"
import * as OpenAiStructuredOutput from "effect/ai/OpenAiStructuredOutput"
import type { AppName } from "../domain/Ids.ts"
import type { ReviewWrite } from "../domain/Review.ts"
import { clipped } from "../domain/boundedJson.ts"
import { StoreRefused, storeLimits } from "./ReviewStore.ts"
import type { ReviewStore, StoreFailed } from "./ReviewStore.ts"

/** A call as the model sent it: `arguments` should be JSON, which is not checked here. */
export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

export interface Dispatched {
  /** JSON, for the model. */
  readonly output: string
  /** What the call changed. */
  readonly wrote: Option.Option<ReviewWrite>
}

/** Characters of one call's arguments, above which it is refused, and of its answer, which is clipped. */
const longestArguments = 64 * 1024
const longestOutput = 32 * 1024

const text = (description: string) => Schema.optionalKey(Schema.NullOr(Schema.String.annotate({ description })))

const MemoryCall = Schema.Struct({
  action: Schema.Literals(["add", "replace", "remove", "list"]),
  id: text("Of the memory to replace or remove, as `list` gives it."),
  text: text(`For add and replace: the memory, at most ${storeLimits.memoryText} characters.`)
})

const SkillCall = Schema.Struct({
  action: Schema.Literals(["create", "update", "remove", "list"]),
  name: text("Of the skill, in kebab-case. With `list`: gives this one with its body."),
  description: text(`For create and update: when to use it, at most ${storeLimits.skillDescription} characters.`),
  body: text(`For create and update: how it is done, Markdown, at most ${storeLimits.skillBody} characters.`)
})

/** The tools as the model gets them, in the JSON Schema that OpenAI's strict mode accepts. */
export const toolDefinitions = [
  {
    name: "memory",
    description: "Read and write the facts that are kept for this app.",
    parameters: OpenAiStructuredOutput.toCodecOpenAI(MemoryCall).jsonSchema
  },
  {
    name: "skill_manage",
    description: "Read and write the skills that are kept for this app.",
    parameters: OpenAiStructuredOutput.toCodecOpenAI(SkillCall).jsonSchema
  }
]

const decodeMemoryCall = Schema.decodeUnknownEffect(Schema.fromJsonString(MemoryCall))
const decodeSkillCall = Schema.decodeUnknownEffect(Schema.fromJsonString(SkillCall))

interface CallResult {
  readonly result: unknown
  readonly wrote?: ReviewWrite
}

export const dispatch = (store: ReviewStore, app: AppName, call: ToolCall): Effect.Effect<Dispatched, StoreFailed> =>
  carryOut(store, app, call).pipe(
    Effect.map(({ result, wrote }) => answer({ ok: true, ...asRecord(result) }, wrote)),
    Effect.catchTag("StoreRefused", ({ problem }) => Effect.succeed(answer({ ok: false, error: problem })))
  )

const answer = (value: unknown, wrote?: ReviewWrite): Dispatched => ({
  output: clipped(JSON.stringify(value), longestOutput),
  wrote: Option.fromUndefinedOr(wrote)
})

const asRecord = (result: unknown) => (result === undefined ? {} : { result })

const carryOut = (
  store: ReviewStore,
  app: AppName,
  call: ToolCall
): Effect.Effect<CallResult, StoreRefused | StoreFailed> => {
  if (call.arguments.length > longestArguments) {
    return refuse(`The arguments are longer than ${longestArguments} characters. Send less.`)
  }
  switch (call.name) {
    case "memory":
      return orRefuse(decodeMemoryCall(call.arguments)).pipe(Effect.flatMap((decoded) => onMemory(store, app, decoded)))
    case "skill_manage":
      return orRefuse(decodeSkillCall(call.arguments)).pipe(Effect.flatMap((decoded) => onSkill(store, app, decoded)))
    default:
      return refuse(`There is no tool ${JSON.stringify(clipped(call.name, 64))}. There are memory and skill_manage.`)
  }
}

const refuse = (problem: string) => Effect.fail(new StoreRefused({ problem }))

const orRefuse = <A>(decoded: Effect.Effect<A, Schema.SchemaError>) =>
  decoded.pipe(
    Effect.catch((error) => refuse(`The arguments are not as the tool takes them: ${clipped(error.message, 500)}`))
  )

const onMemory = (store: ReviewStore, app: AppName, call: typeof MemoryCall.Type) =>
  Effect.gen(function* (): Effect.fn.Return<CallResult, StoreRefused | StoreFailed> {
    switch (call.action) {
      case "list":
        return { result: (yield* store.memories(app)).map(({ id, text }) => ({ id, text })) }
      case "add": {
        const id = yield* store.addMemory(app, yield* required("text", call.text, storeLimits.memoryText))
        return { result: { id }, wrote: { tool: "memory", action: "add", name: id } }
      }
      case "replace": {
        const id = yield* required("id", call.id, 100)
        yield* store.replaceMemory(app, id, yield* required("text", call.text, storeLimits.memoryText))
        return { result: { id }, wrote: { tool: "memory", action: "replace", name: id } }
      }
      case "remove": {
        const id = yield* required("id", call.id, 100)
        yield* store.removeMemory(app, id)
        return { result: { id }, wrote: { tool: "memory", action: "remove", name: id } }
      }
      default:
        return call.action satisfies never
    }
  })

const onSkill = (store: ReviewStore, app: AppName, call: typeof SkillCall.Type) =>
  Effect.gen(function* (): Effect.fn.Return<CallResult, StoreRefused | StoreFailed> {
    if (call.action === "list") {
      const skills = yield* store.skills(app)
      if (call.name === undefined || call.name === null) {
        return { result: skills.map(({ description, name }) => ({ name, description })) }
      }
      const skill = skills.find(({ name }) => name === call.name)
      if (skill === undefined) return yield* refuse(`There is no skill ${JSON.stringify(clipped(call.name, 64))}.`)
      return { result: { name: skill.name, description: skill.description, body: skill.body } }
    }
    const name = yield* required("name", call.name, storeLimits.skillName)
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) {
      return yield* refuse("name must be in kebab-case: a-z and 0-9 in words that are joined by single hyphens.")
    }
    const wrote = { tool: "skill_manage", action: call.action, name } as const
    if (call.action === "remove") {
      yield* store.removeSkill(app, name)
      return { result: { name }, wrote }
    }
    const description = yield* required("description", call.description, storeLimits.skillDescription)
    const body = yield* required("body", call.body, storeLimits.skillBody)
    yield* call.action === "create"
      ? store.createSkill(app, name, { description, body })
      : store.updateSkill(app, name, { description, body })
    return { result: { name }, wrote }
  })

/** A field that the action requires, within its limit. */
const required = (field: string, value: string | null | undefined, limit: number) => {
  if (value === undefined || value === null || value.trim() === "") return refuse(`${field} is missing.`)
  if (value.length > limit) return refuse(`${field} has ${value.length} characters; it may have ${limit}. Shorten it.`)
  return Effect.succeed(value)
}
