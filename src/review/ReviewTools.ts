/**
 * The two tools of a review, `memory` and `skill_manage`: their schemas, and what a call of one does.
 *
 * Whatever a model sends is answered: a call that can't be carried out gets an error that says what to send instead.
 * Only a store that fails ends the review.
 */
import { Effect, Option, Schema } from "effect"
import * as OpenAiStructuredOutput from "effect/ai/OpenAiStructuredOutput"
import type { AppName } from "../domain/Ids.ts"
import type { ReviewWrite } from "../domain/Review.ts"
import { clipped } from "../domain/boundedJson.ts"
import { StoreRefused, storeLimits } from "./ReviewStore.ts"
import type { ReviewStore, StoreFailed } from "./ReviewStore.ts"

/** A call as the model made it: `arguments` is its JSON, or what it took for JSON. */
export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

export interface Dispatched {
  /** JSON, for the model. */
  readonly output: string
  /** What it changed, if it did. */
  readonly wrote: Option.Option<ReviewWrite>
}

/** Of one call: the longest that is still looked at, and the longest answer. */
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

/** What the model is told of the tools, in the JSON Schema that OpenAI's strict mode takes. */
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

interface Done {
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
): Effect.Effect<Done, StoreRefused | StoreFailed> => {
  if (call.arguments.length > longestArguments) {
    return refuse(`The arguments are longer than ${longestArguments} characters. Send less.`)
  }
  switch (call.name) {
    case "memory":
      return understood(decodeMemoryCall(call.arguments)).pipe(Effect.flatMap((it) => onMemory(store, app, it)))
    case "skill_manage":
      return understood(decodeSkillCall(call.arguments)).pipe(Effect.flatMap((it) => onSkill(store, app, it)))
    default:
      return refuse(`There is no tool ${JSON.stringify(clipped(call.name, 64))}. There are memory and skill_manage.`)
  }
}

const refuse = (problem: string) => Effect.fail(new StoreRefused({ problem }))

const understood = <A>(decoded: Effect.Effect<A, Schema.SchemaError>) =>
  decoded.pipe(
    Effect.catch((error) => refuse(`The arguments are not as the tool takes them: ${clipped(error.message, 500)}`))
  )

const onMemory = (store: ReviewStore, app: AppName, call: typeof MemoryCall.Type) =>
  Effect.gen(function* (): Effect.fn.Return<Done, StoreRefused | StoreFailed> {
    switch (call.action) {
      case "list":
        return { result: (yield* store.memories(app)).map(({ id, text }) => ({ id, text })) }
      case "add": {
        const id = yield* store.addMemory(app, yield* given("text", call.text, storeLimits.memoryText))
        return { result: { id }, wrote: { tool: "memory", action: "add", name: id } }
      }
      case "replace": {
        const id = yield* given("id", call.id, 100)
        yield* store.replaceMemory(app, id, yield* given("text", call.text, storeLimits.memoryText))
        return { result: { id }, wrote: { tool: "memory", action: "replace", name: id } }
      }
      case "remove": {
        const id = yield* given("id", call.id, 100)
        yield* store.removeMemory(app, id)
        return { result: { id }, wrote: { tool: "memory", action: "remove", name: id } }
      }
      default:
        return call.action satisfies never
    }
  })

const onSkill = (store: ReviewStore, app: AppName, call: typeof SkillCall.Type) =>
  Effect.gen(function* (): Effect.fn.Return<Done, StoreRefused | StoreFailed> {
    if (call.action === "list") {
      const skills = yield* store.skills(app)
      if (call.name === undefined || call.name === null) {
        return { result: skills.map(({ description, name }) => ({ name, description })) }
      }
      const found = skills.find(({ name }) => name === call.name)
      if (found === undefined) return yield* refuse(`There is no skill ${JSON.stringify(clipped(call.name, 64))}.`)
      return { result: { name: found.name, description: found.description, body: found.body } }
    }
    const name = yield* given("name", call.name, storeLimits.skillName)
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) {
      return yield* refuse("name must be in kebab-case: a-z and 0-9 in words that are joined by single hyphens.")
    }
    const wrote = { tool: "skill_manage", action: call.action, name } as const
    if (call.action === "remove") {
      yield* store.removeSkill(app, name)
      return { result: { name }, wrote }
    }
    const description = yield* given("description", call.description, storeLimits.skillDescription)
    const body = yield* given("body", call.body, storeLimits.skillBody)
    yield* call.action === "create"
      ? store.createSkill(app, name, { description, body })
      : store.updateSkill(app, name, { description, body })
    return { result: { name }, wrote }
  })

/** A field that the action needs, within its bound. */
const given = (field: string, value: string | null | undefined, limit: number) => {
  if (value === undefined || value === null || value.trim() === "") return refuse(`${field} is missing.`)
  if (value.length > limit) return refuse(`${field} has ${value.length} characters; it may have ${limit}. Shorten it.`)
  return Effect.succeed(value)
}
