/**
 * The tools: each is a few calls of the library's `Backend`. What a host has to remember is a session's id and a turn's number,
 * which are stored; nothing is kept here between calls.
 */
import type { Backend, SessionBackend, SubmitRequest } from "../../backend/Backend.ts"
import { TroupeError } from "../../backend/TroupeError.ts"
import type { CreateSession } from "../../domain/Session.ts"
import type { PermissionPolicy } from "../../domain/Permissions.ts"
import { follow } from "./follow.ts"
import * as Reports from "./reports.ts"
import { defaultWaitSeconds } from "./schemas.ts"
import type * as Schemas from "./schemas.ts"

/** Of sessions that a call says nothing else for. */
export interface Defaults {
  readonly agent?: string | undefined
  readonly cwd?: string | undefined
  readonly permissions?: PermissionPolicy | undefined
}

/** What a call brings besides its arguments. */
export interface Call {
  readonly signal: AbortSignal
  readonly onActivity: (line: string) => void
}

type Args<S extends { readonly Type: unknown }> = S["Type"]

export const agentStart = async (
  backend: Backend,
  defaults: Defaults,
  args: Args<typeof Schemas.AgentStart>,
  call: Call
): Promise<Schemas.TurnReport> => {
  const { idempotency_key: key, prompt, wait_s = 0 } = args
  const request: CreateSession = defined({
    agent: args.agent ?? defaults.agent,
    cwd: args.cwd ?? defaults.cwd,
    permissions: args.permissions ?? defaults.permissions,
    systemPrompt: args.system_prompt,
    model: args.model,
    mode: args.mode,
    effort: args.effort
  })
  const { agent, id } = await backend.create(request, key)
  if (prompt === undefined) return Reports.idleReport(id, agent)
  const session = backend.session(id)
  // The session has model, mode and effort already. Its key is free: each session has its own.
  const turn = { prompt, timeoutMillis: millisOf(args.timeout_s), idempotencyKey: key }
  const { index } = await session.submit(turn).catch((error: unknown) => {
    throw withSession(error, id)
  })
  return report(session, index, wait_s, undefined, call)
}

const invalid = (message: string) => new TroupeError({ code: "invalid_request", status: 400, message })

/** The session is there although its first turn was refused. */
const withSession = (error: unknown, id: string) => {
  if (!(error instanceof TroupeError)) return error
  const { code, message, status } = error
  const there = `The session ${id} was opened: agent_send submits its first turn, agent_cancel with close: true closes it.`
  return new TroupeError({ code, status, message: `${message} ${there}`, cause: error })
}

export const agentSend = async (backend: Backend, args: Args<typeof Schemas.AgentSend>, call: Call) => {
  const session = backend.session(args.session_id)
  if (args.steer === true) {
    const { prompt: _, session_id: _id, steer: _steer, wait_s: _wait, ...more } = args
    const [other] = Object.keys(more)
    if (other !== undefined) throw invalid(`${other} is for a turn of its own; steer takes words alone.`)
    await session.steer(args.prompt)
    return report(session, (await session.view()).turnCount, args.wait_s ?? 0, undefined, call)
  }
  const request: SubmitRequest = defined({
    prompt: args.prompt,
    queue: args.queue,
    model: args.model,
    mode: args.mode,
    effort: args.effort,
    timeoutMillis: millisOf(args.timeout_s),
    idempotencyKey: args.idempotency_key
  })
  const { index } = await session.submit(request)
  return report(session, index, args.wait_s ?? 0, undefined, call)
}

export const agentWait = async (backend: Backend, args: Args<typeof Schemas.AgentWait>, call: Call) => {
  const session = backend.session(args.session_id)
  const { agent, turnCount } = await session.view()
  const turn = args.turn ?? turnCount
  if (turn === 0) return Reports.idleReport(args.session_id, agent)
  return report(session, turn, args.wait_s ?? defaultWaitSeconds, args.cursor, call)
}

const report = async (
  session: SessionBackend,
  turn: number,
  waitSeconds: number,
  after: number | undefined,
  { onActivity, signal }: Call
): Promise<Schemas.TurnReport> => {
  const seen = await follow(session, turn, { after, millis: waitSeconds * 1000, signal, onActivity })
  const [{ agent }, stored] = await Promise.all([session.view(), session.turn(turn)])
  return Reports.turnReport(agent, stored, seen)
}

export const agentStatus = async (backend: Backend, { session_id: id }: Args<typeof Schemas.AgentStatus>) => {
  const session = backend.session(id)
  const [view, approvals] = await Promise.all([session.view(), session.approvals()])
  return {
    ...Reports.sessionReport(view),
    process: view.process.state,
    approvals: approvals.map(Reports.approvalReport),
    usage: Reports.usageReport(view.usage),
    next:
      view.state === "closed"
        ? "The session is closed; messages reads it."
        : approvals.length > 0
          ? "agent_answer answers what the agent waits for."
          : view.state === "turning"
            ? `agent_wait waits for turn ${view.turnCount}.`
            : "agent_send submits a turn."
  }
}

export const agentCancel = async (backend: Backend, args: Args<typeof Schemas.AgentCancel>) => {
  const { close = false, session_id: id, turn } = args
  const session = backend.session(id)
  const interrupted = await session.interrupt(turn)
  if (close) await session.close()
  const next = close ? "The session is closed; messages reads it." : "agent_wait says what came of the turn."
  return { session_id: id, interrupted, closed: close, next }
}

export const agentAnswer = async (backend: Backend, args: Args<typeof Schemas.AgentAnswer>) => {
  const { answers, approval_id, decision, session_id: id } = args
  const answered = await backend.session(id).answer(approval_id, decision, answers)
  const next = `The agent goes on: agent_wait with session_id ${id}, turn ${answered.turn}.`
  return { ...Reports.approvalReport(answered), session_id: id, turn: answered.turn, next }
}

export const sessionsList = async (backend: Backend, args: Args<typeof Schemas.SessionsList>) => {
  const { cursor = null, limit = 20, state = null } = args
  const { count, items, next } = await backend.list({ limit, cursor, state })
  return { sessions: items.map(Reports.sessionReport), count, next_cursor: next }
}

export const messages = async (backend: Backend, args: Args<typeof Schemas.Messages>) => {
  const { after_turn: after = 0, limit = 10, session_id: id } = args
  const session = backend.session(id)
  const found: Array<ReturnType<typeof Reports.messageReport>> = []
  let truncated = false
  let characters = 0
  let last = after
  // Turn by turn: how much one holds is not known before.
  for (let n = 0; n < limit && characters < Reports.longestMessages; n++) {
    const [turn] = await session.turns(last, 1)
    if (turn === undefined) return { session_id: id, messages: found, truncated, next_after_turn: null }
    last = turn.turnIndex
    for (const message of turn.recovered?.messages ?? turn.messages) {
      truncated ||= Reports.isCut(message) || characters >= Reports.longestMessages
      if (characters >= Reports.longestMessages) break
      const reported = Reports.messageReport(last, message)
      characters += reported.text.length
      found.push(reported)
    }
  }
  const { turnCount } = await session.view()
  return { session_id: id, messages: found, truncated, next_after_turn: last < turnCount ? last : null }
}

export const agentsList = async (backend: Backend) => ({
  agents: (await backend.agents()).map(({ available, hint, name, version }) => ({ name, available, version, hint }))
})

const millisOf = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1000)

const defined = <A extends object>(fields: A): A =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as A
