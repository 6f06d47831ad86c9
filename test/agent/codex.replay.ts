/** Replays a recorded trace through the translator, as a connection does: prompts begin turns, replies give their ids. */
import { readdirSync, readFileSync } from "node:fs"
import type { AgentFact } from "../../src/agent/Agent.ts"
import * as Translator from "../../src/agent/codex/Translator.ts"
import { objectIn, textIn } from "../../src/domain/json.ts"
import type { JsonObject } from "../../src/domain/json.ts"

export interface Line {
  readonly dir: "in" | "out" | "note"
  readonly msg: JsonObject
}

const folder = new URL("../fixtures/traces/codex/", import.meta.url)

export const traces: ReadonlyArray<string> = readdirSync(folder)
  .filter((name) => name.endsWith(".ndjson"))
  .map((name) => name.slice(0, -".ndjson".length))

export const traceFile = (name: string): string => new URL(`${name}.ndjson`, folder).pathname

export const linesOf = (name: string): ReadonlyArray<Line> =>
  readFileSync(traceFile(name), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => withoutSettings(JSON.parse(line) as Line))

/** A trace was recorded with settings of its own, which no permissions ask for. */
const withoutSettings = (line: Line): Line => {
  const { approvalPolicy: _, sandbox: __, ...result } = objectIn(line.msg["result"])
  return result["thread"] === undefined ? line : { ...line, msg: { ...line.msg, result } }
}

export interface Replay {
  /** The first thread of the trace, which the translator follows. */
  readonly thread: string
  readonly facts: ReadonlyArray<AgentFact>
  /** What codex wrote about any thread. */
  readonly out: ReadonlyArray<JsonObject>
}

export const replay = (name: string): Replay => {
  const lines = linesOf(name)
  const translator = Translator.make(null)
  const facts: Array<AgentFact> = []
  const methods = new Map<unknown, JsonObject>()
  const approvalParams = new Map<unknown, JsonObject>()
  let thread: string | null = null
  let turns = 0

  for (const { dir, msg } of lines) {
    const { id, method } = msg
    const params = objectIn(msg["params"])
    if (dir === "in" && typeof method === "string" && id !== undefined) {
      methods.set(id, msg)
      // A second prompt during a turn steers it, which our driver never does.
      const ours = method === "turn/start" && params["threadId"] === thread && translator.running() === null
      if (ours) translator.begin((turns += 1))
    } else if (dir === "in" && id !== undefined) {
      const params = approvalParams.get(id)
      if (params !== undefined) translator.markApproval(params, objectIn(msg["result"])["decision"] === "cancel")
    } else if (dir === "out" && typeof method === "string") {
      if (id === undefined) facts.push(...translator.notification(method, msg["params"]))
      else {
        approvalParams.set(id, params)
        translator.markApproval(params, true)
      }
    } else if (dir === "out") {
      const request = objectIn(methods.get(id))
      const result = objectIn(msg["result"])
      const started = textIn(objectIn(result["thread"])["id"])
      if (thread === null && started !== null) translator.adopt((thread = started))
      if (request["method"] !== "turn/start" || objectIn(request["params"])["threadId"] !== thread) continue
      const turn = textIn(objectIn(result["turn"])["id"])
      if (turn !== null) facts.push(...translator.accepted(turn))
      else if (msg["error"] !== undefined && translator.running()?.agentTurnId === null) translator.dropPrompt()
    }
  }
  return { thread: thread ?? "", facts, out: lines.flatMap(({ dir, msg }) => (dir === "out" ? [msg] : [])) }
}

export type Update = Extract<AgentFact, { readonly _tag: "Update" }>
export type Ended = Extract<AgentFact, { readonly _tag: "TurnEnded" }>

export const updates = (facts: ReadonlyArray<AgentFact>): ReadonlyArray<Update> =>
  facts.filter((fact) => fact._tag === "Update")
export const ends = (facts: ReadonlyArray<AgentFact>): ReadonlyArray<Ended> =>
  facts.filter((fact) => fact._tag === "TurnEnded")

export const updateOf = (fact: Update) => fact.message.params.update
export const ofKind = (facts: ReadonlyArray<AgentFact>, kind: string) =>
  updates(facts).filter((fact) => updateOf(fact).sessionUpdate === kind)

/** The text of all chunks of a kind, joined. */
export const textOf = (facts: ReadonlyArray<AgentFact>, kind = "agent_message_chunk"): string =>
  ofKind(facts, kind)
    .map((fact) => textIn(objectIn(updateOf(fact)["content"])["text"]) ?? "")
    .join("")

export const metaOf = (fact: Update): JsonObject => objectIn(updateOf(fact)["_meta"])
