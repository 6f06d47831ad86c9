/** The turns of the recorded traces as the ledger stores them: the driver's facts with merged chunks, and a record each. */
import type { AgentFact } from "../../src/agent/Agent.ts"
import * as TurnTracker from "../../src/agent/acp/TurnTracker.ts"
import * as Failures from "../../src/agent/acp/failures.ts"
import * as Transcript from "../../src/agent/acpx/Transcript.ts"
import { listIn, objectIn, textIn } from "../../src/domain/json.ts"
import type { JsonObject } from "../../src/domain/json.ts"
import { ChunkBuffer } from "../../src/session/ChunkBuffer.ts"
import type { AcpMessage, ResultMessage } from "../../src/domain/Acp.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import { noUsage } from "../../src/domain/Turn.ts"
import type { TurnRecord } from "../../src/domain/Turn.ts"
import * as Acp from "../agent/acp.replay.ts"
import * as Codex from "../agent/codex.replay.ts"

export interface RecordedTurn {
  readonly turn: TurnRecord
  readonly events: ReadonlyArray<AcpMessage>
}

export const turnRecord = (fields: Partial<TurnRecord>): TurnRecord => ({
  session: SessionId.make("ses_recorded"),
  index: 1,
  kind: "prompt",
  status: "completed",
  prompt: "hello",
  content: null,
  settings: {},
  givenContext: null,
  submittedAt: 1_000,
  endedAt: 2_000,
  stopReason: "end_turn",
  usage: noUsage,
  failure: null,
  interrupted: false,
  toolIterations: 0,
  threadId: null,
  agentTurnId: null,
  contextLost: false,
  contextAsOf: null,
  workdirLost: false,
  ...fields
})

type Ended = Extract<AgentFact, { readonly _tag: "TurnEnded" }>

/** The last event of a turn, as the actor stores it. A turn without an end died with its process. */
export const endOf = (turn: number, ended: Ended | undefined): ResultMessage =>
  ended !== undefined && ended.failure === null
    ? { jsonrpc: "2.0", id: turn, result: { stopReason: ended.stopReason } }
    : { jsonrpc: "2.0", id: turn, error: { code: -32000, message: ended?.failure?.message ?? "The process died." } }

const recordOf = (index: number, prompt: string, threadId: string, ended: Ended | undefined): TurnRecord => {
  const fields = { index, prompt, threadId }
  if (ended === undefined || ended.failure !== null) {
    return turnRecord({ ...fields, status: "failed", stopReason: "error", failure: ended?.failure ?? null })
  }
  const interrupted = ended.stopReason === "cancelled"
  const status = interrupted ? "interrupted" : "completed"
  return turnRecord({ ...fields, status, interrupted, stopReason: ended.stopReason })
}

const turnsOf = (
  thread: string,
  facts: ReadonlyArray<AgentFact>,
  prompts: ReadonlyArray<string>
): ReadonlyArray<RecordedTurn> =>
  prompts.map((prompt, nth) => {
    const index = nth + 1
    const buffer = new ChunkBuffer(SessionId.make("ses_recorded"), 0)
    const ended = facts.find((fact) => fact._tag === "TurnEnded" && fact.turn === index) as Ended | undefined
    for (const fact of facts) {
      if (fact._tag === "Update" && fact.turn === index) buffer.append(index, fact.message, 0)
      if (fact === ended) buffer.append(index, endOf(index, ended), 0)
    }
    if (ended === undefined) buffer.append(index, endOf(index, ended), 0)
    return {
      turn: recordOf(index, prompt, thread, ended),
      events: buffer.take().map(({ message }) => message)
    }
  })

const textsIn = (parts: unknown): string =>
  listIn(parts)
    .flatMap((part) => textIn(objectIn(part)["text"]) ?? [])
    .join("\n")

/** Leaves out a `turn/start` that is answered with the id of a running turn, because it only steered that turn. */
const codexPrompts = (name: string, thread: string): ReadonlyArray<string> => {
  const lines = Codex.linesOf(name)
  const replies = new Map<unknown, JsonObject>(
    lines.flatMap(({ dir, msg }) => (dir === "out" && !("method" in msg) ? [[msg["id"], msg]] : []))
  )
  const startedTurns = new Set<string>()
  return lines.flatMap(({ dir, msg }) => {
    const params = objectIn(msg["params"])
    if (dir !== "in" || msg["method"] !== "turn/start" || params["threadId"] !== thread) return []
    const turn = textIn(objectIn(objectIn(replies.get(msg["id"])?.["result"])["turn"])["id"])
    if (turn !== null && startedTurns.has(turn)) return []
    if (turn !== null) startedTurns.add(turn)
    return [textsIn(params["input"])]
  })
}

const acpPrompts = (name: string, thread: string): ReadonlyArray<string> =>
  Acp.linesOf(name).flatMap(({ dir, msg }) => {
    const { method, params } = objectIn(msg)
    const { prompt, sessionId } = objectIn(params)
    return dir === "out" && method === "session/prompt" && sessionId === thread ? [textsIn(prompt)] : []
  })

/** The turn of one prompt, from the output of acpx. */
const acpxTurns = (name: string): ReadonlyArray<RecordedTurn> => {
  const tracker = TurnTracker.make(Failures.identify(name.startsWith("acpx-claude") ? "Claude Agent" : "Codex"))
  const transcript = Transcript.make(tracker)
  const prompts: Array<string> = []
  const facts: Array<AgentFact> = []
  tracker.begin(1)
  for (const { msg } of Acp.linesOf(name)) {
    if (objectIn(msg)["method"] === "session/prompt") prompts.push(textsIn(objectIn(objectIn(msg)["params"])["prompt"]))
    const event = transcript.read(JSON.stringify(msg ?? null))
    const fact = event?._tag === "Reply" ? tracker.end(event.reply) : event
    if (fact?._tag === "Update" || fact?._tag === "TurnEnded") facts.push(fact)
  }
  return turnsOf(tracker.thread ?? "", facts, prompts.slice(0, 1))
}

export interface Recorded {
  readonly name: string
  readonly turns: ReadonlyArray<RecordedTurn>
}

const codex = Codex.traces.map((name): Recorded => {
  const { facts, thread } = Codex.replay(name)
  return { name: `codex/${name}`, turns: turnsOf(thread, facts, codexPrompts(name, thread)) }
})

const acp = Acp.acpTraces.map((name): Recorded => {
  const { facts, thread } = Acp.replay(name)
  return { name: `acp/${name}`, turns: turnsOf(thread, facts, acpPrompts(name, thread)) }
})

const acpx = Acp.acpxPrompts.map((name): Recorded => ({ name: `acp/${name}`, turns: acpxTurns(name) }))

/** The traces with a turn. The others are about threads, or fail before there is a turn. */
export const recorded: ReadonlyArray<Recorded> = [...codex, ...acp, ...acpx].filter(({ turns }) => turns.length > 0)
