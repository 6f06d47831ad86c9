/** The input of a run (`RunAgentInput`) as what is asked of a session. A field of a later protocol is left, as the protocol has it. */
import { Schema } from "effect"
import { listIn, nonEmptyTextIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import { McpServerOrName } from "../../domain/McpServer.ts"
import { Permissions } from "../../domain/Permissions.ts"
import { schemaProblem } from "../../domain/schemaProblem.ts"
import { readMessages } from "./content.ts"
import type { GivenMessages } from "./content.ts"
import { fingerprintOf } from "../fingerprint.ts"
import { invalid, unsupported } from "./errors.ts"

const most = { messages: 4_096, context: 64, resume: 64, idCharacters: 200 } as const

/** `forwardedProps.troupe`: what the protocol has no field for. */
const Wishes = Schema.Struct({
  cwd: Schema.optionalKey(Schema.String),
  permissions: Schema.optionalKey(Permissions),
  mcpServers: Schema.optionalKey(Schema.Array(McpServerOrName)),
  model: Schema.optionalKey(Schema.String),
  mode: Schema.optionalKey(Schema.String),
  effort: Schema.optionalKey(Schema.String)
})
export type Wishes = typeof Wishes.Type

/** An answer to an interrupt. `payload` is `undefined` where it was abandoned. */
export interface Resumed {
  readonly interruptId: string
  readonly isCancelled: boolean
  readonly payload: unknown
}

export interface RunInput {
  readonly threadId: string
  readonly runId: string
  readonly messages: GivenMessages
  readonly context: ReadonlyArray<{ readonly description: string; readonly value: string }>
  readonly wishes: Wishes
  readonly resume: ReadonlyArray<Resumed>
  /** Of all that the turn gets: the same run has the same. */
  readonly fingerprint: string
}

export const readInput = (body: unknown): RunInput => {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalid("The body", "must be a JSON object.")
  const given = body as JsonObject
  const messages = listOf(given, "messages", most.messages)
  if (given["messages"] === undefined) throw invalid("messages", "is missing.")
  refuseWithoutCounterpart(given)
  const read = readMessages(messages)
  const context = listOf(given, "context", most.context).map((value, nth) => {
    const { description, value: text } = objectIn(value)
    if (typeof text !== "string") throw invalid(`context[${nth}].value`, "must be text.")
    return { description: textIn(description) ?? "", value: text }
  })
  const wishes = readWishes(objectIn(given["forwardedProps"])["troupe"])
  const { effort, mode, model } = wishes
  return {
    threadId: idIn(given, "threadId"),
    runId: idIn(given, "runId"),
    messages: read,
    context,
    wishes,
    resume: listOf(given, "resume", most.resume).map(readResumed),
    fingerprint: fingerprintOf([read.asked, context, { effort, mode, model }])
  }
}

export const idIn = (given: JsonObject, name: string): string => {
  const id = nonEmptyTextIn(given[name])
  if (id === null) throw invalid(name, "is missing: it must be text.")
  if (id.length > most.idCharacters) throw invalid(name, `may have ${most.idCharacters} characters.`)
  return id
}

const listOf = (given: JsonObject, name: string, atMost: number): ReadonlyArray<unknown> => {
  const value = given[name] ?? []
  if (!Array.isArray(value)) throw invalid(name, "must be a list.")
  if (value.length > atMost) throw invalid(name, `may have ${atMost} entries.`)
  return value
}

const refuseWithoutCounterpart = ({ state, tools }: JsonObject): void => {
  if (listIn(tools).length > 0) {
    throw unsupported(
      "tools",
      "must be empty: an agent has tools of its own. Give it more as MCP servers, by forwardedProps.troupe.mcpServers."
    )
  }
  const isEmpty =
    state === undefined ||
    state === null ||
    state === "" ||
    (typeof state === "object" && Object.keys(state).length === 0)
  if (!isEmpty) {
    throw unsupported(
      "state",
      "must be empty: an agent shares no state with its client. Say what it is to know in a message, or by context."
    )
  }
}

const readResumed = (value: unknown, nth: number): Resumed => {
  const { interruptId, payload, status } = objectIn(value)
  const id = nonEmptyTextIn(interruptId)
  if (id === null) throw invalid(`resume[${nth}].interruptId`, "is missing: it is the id of an interrupt.")
  if (status !== "resolved" && status !== "cancelled")
    throw invalid(`resume[${nth}].status`, "must be resolved or cancelled.")
  return { interruptId: id, isCancelled: status === "cancelled", payload }
}

const decode = Schema.decodeUnknownResult(Wishes)

const readWishes = (given: unknown): Wishes => {
  if (given === undefined || given === null) return {}
  const decoded = decode(given, { errors: "all", onExcessProperty: "error" })
  if (decoded._tag === "Success") return decoded.success
  throw invalid("forwardedProps.troupe:", schemaProblem(decoded.failure.issue, { whole: "It", member: "field" }))
}
