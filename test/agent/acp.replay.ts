/** Replays a recorded trace through the turn tracker, as a connection does: prompts begin turns, replies end them. */
import { readdirSync, readFileSync } from "node:fs"
import type { AgentFact } from "../../src/agent/Agent.ts"
import * as TurnTracker from "../../src/agent/acp/TurnTracker.ts"
import type { TurnEnded } from "../../src/agent/acp/TurnTracker.ts"
import * as Failures from "../../src/agent/acp/failures.ts"
import * as Permission from "../../src/agent/acp/permission.ts"
import { at, listIn, nonEmptyTextIn, objectIn } from "../../src/domain/json.ts"
import type { JsonObject } from "../../src/domain/json.ts"
import { RpcError } from "../../src/agent/RpcError.ts"

/** `out` is what the client wrote, `in` what the agent (or acpx) did. */
export interface Line {
  readonly dir: "in" | "out"
  readonly msg?: unknown
  readonly exit?: { readonly code: number | null; readonly signal: string | null }
}

const folder = new URL("../fixtures/traces/acp/", import.meta.url)

const names: ReadonlyArray<string> = readdirSync(folder)
  .filter((name) => name.endsWith(".ndjson"))
  .map((name) => name.slice(0, -".ndjson".length))

export const acpTraces = names.filter((name) => !name.startsWith("acpx-"))
export const acpxPrompts = names.filter((name) => /^acpx-.*-prompt-/.test(name))

export const traceFile = (name: string): string => new URL(`${name}.ndjson`, folder).pathname

export const linesOf = (name: string): ReadonlyArray<Line> =>
  readFileSync(traceFile(name), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line)

/** A permission request of the agent, and our answer to it for each decision. */
export interface AnsweredRequest {
  readonly turn: number | null
  readonly kind: string
  readonly title: string
  readonly offered: ReadonlyArray<unknown>
  readonly answers: Readonly<Record<"once" | "session" | "deny", Permission.Outcome>>
}

export interface Replay {
  readonly thread: string
  readonly facts: ReadonlyArray<AgentFact>
  readonly ends: ReadonlyArray<TurnEnded>
  readonly permissionRequests: ReadonlyArray<AnsweredRequest>
  /** How many replies to prompts of our session the trace has. */
  readonly replies: number
  /** The updates of our session that were not played back, as the agent wrote them. */
  readonly written: ReadonlyArray<unknown>
}

/** By the begin of the trace's name. */
const agentNames: Readonly<Record<string, string>> = { claude: "Claude Agent", codex: "Codex", gemini: "Gemini CLI" }

/** Follows the trace's first session. */
export const replay = (name: string): Replay => {
  const [, agent = ""] = /^([a-z]+)-/.exec(name) ?? []
  const tracker = TurnTracker.make(Failures.identify(agentNames[agent] ?? agent))
  const facts: Array<AgentFact> = []
  const permissionRequests: Array<AnsweredRequest> = []
  const written: Array<unknown> = []
  const methods = new Map<unknown, JsonObject>()
  const mine = new Set<unknown>()
  let thread: string | null = null
  let turns = 0
  let replies = 0

  for (const { dir, msg } of linesOf(name)) {
    const message = objectIn(msg)
    const { error, id, method, params, result } = message
    if (dir === "out" && typeof method === "string") {
      const isOurs = thread !== null && at(params, "sessionId") === thread
      if (id !== undefined) methods.set(id, message)
      if (method === "session/load" || method === "session/resume") {
        thread ??= nonEmptyTextIn(at(params, "sessionId"))
        tracker.thread = thread
        tracker.replaying = method === "session/load"
      }
      if (method === "session/cancel" && isOurs) tracker.noteCancel()
      if (method === "session/prompt" && isOurs) {
        mine.add(id)
        tracker.begin((turns += 1))
      }
    } else if (dir === "out" && result !== undefined) {
      const options = listIn(at(methods.get(`asked ${String(id)}`), "params", "options")).map(objectIn)
      const chosen = options.find(({ optionId }) => optionId === at(result, "outcome", "optionId"))
      if (options.length > 0 && chosen?.["kind"] !== "allow_once" && chosen?.["kind"] !== "allow_always")
        tracker.noteDenial()
    } else if (dir === "in" && typeof method === "string" && id !== undefined) {
      methods.set(`asked ${String(id)}`, message)
      if (method === "session/request_permission") permissionRequests.push(answeredRequest(tracker, params))
    } else if (dir === "in" && method === "session/update") {
      if (at(params, "sessionId") === thread && !tracker.replaying) written.push(at(params, "update"))
      const fact = tracker.receive(params)
      if (fact !== null) facts.push(fact)
    } else if (dir === "in" && id !== undefined && id !== null) {
      const requestMethod = nonEmptyTextIn(methods.get(id)?.["method"])
      if (requestMethod === "session/new" && thread === null)
        tracker.thread = thread = nonEmptyTextIn(at(result, "sessionId"))
      if (requestMethod === "session/load") tracker.replaying = false
      if (!mine.delete(id)) continue
      replies += 1
      const { code, data, message } = objectIn(error)
      const fact = tracker.end(
        error === undefined
          ? { ok: true, result }
          : {
              ok: false,
              error: new RpcError({ code: Number(code), message: String(message), ...(data ? { data } : {}) })
            }
      )
      if (fact !== null) facts.push(fact)
    }
  }
  const ends = facts.filter((fact) => fact._tag === "TurnEnded")
  return { thread: thread ?? "", facts, ends, permissionRequests: permissionRequests, replies, written }
}

const noSession = { kind: "", title: "", turn: null }

const answeredRequest = (tracker: TurnTracker.TurnTracker, params: unknown): AnsweredRequest => {
  const request = Permission.read(params)
  const { kind, title, turn } = tracker.describe({ ...request, sessionId: null }) ?? noSession
  const answers = {
    once: Permission.outcome(request, kind, "once"),
    session: Permission.outcome(request, kind, "session"),
    deny: Permission.outcome(request, kind, "deny")
  }
  return { turn, kind, title, offered: request.options.map(({ id }) => id), answers }
}
