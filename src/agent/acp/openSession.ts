/**
 * Opens a session of an ACP agent: a new one, or an earlier one resumed; and configures it as our session wants it.
 *
 * Model, mode and instructions are sent each time: codex-acp forgets mode and model over a resume, and Claude remembers
 * even a mode that no longer asks. The updates that a load plays back are not emitted.
 */
import { Effect, Schedule } from "effect"
import { at, nonEmptyTextIn } from "../../domain/json.ts"
import type { JsonRecord } from "../../domain/json.ts"
import { AgentFailed } from "../Agent.ts"
import type { OpenRequest } from "../Agent.ts"
import type { Fork } from "../../domain/Session.ts"
import type { RpcError, RpcSilent } from "../RpcError.ts"
import * as Authenticate from "./authenticate.ts"
import * as ClaudeOptions from "./claudeOptions.ts"
import type { Controls } from "./Controls.ts"
import * as Failures from "./failures.ts"
import type { Announced } from "./handshake.ts"
import * as McpServers from "./mcpServers.ts"
import { ownModel } from "./ownModel.ts"
import * as Repository from "../repository.ts"
import * as RefusedStart from "./refusedStart.ts"
import type { SendRequest } from "./request.ts"
import { sentence } from "./sentence.ts"
import type { TurnTracker } from "./TurnTracker.ts"

export interface Login {
  /** Without what the session sets. */
  readonly env: Readonly<Record<string, string>>
  /** The configured method (`authMethod`). */
  readonly method: string | undefined
}

export interface SessionOpening {
  readonly send: SendRequest
  readonly tracker: TurnTracker
  readonly announced: Announced
  readonly request: OpenRequest
  /** What the agent's environment and its configuration say about logging in. */
  readonly login: Login
  /** Whose repositories may configure the agent. */
  readonly trust: ClaudeOptions.Trust
  /** How long the agent may take to open a session. */
  withinMillis: number
  /** What the session was configured with last: mode, model, and the options of Claude's SDK. */
  configured: JsonRecord
  /** Model, mode and effort of the session. */
  readonly controls: Controls
}

export interface Opened {
  readonly thread: string
  /** Why the thread that was requested is not this one. */
  readonly contextLost: string | null
}

/** For a thread that another process still has, and which may be dying: codex releases it when that process is gone. */
const whileTaken = Schedule.max([Schedule.spaced("500 millis"), Schedule.recurs(10)])

export const open = Effect.fnUntraced(function* (opening: SessionOpening) {
  const { announced, request } = opening
  yield* checkAnnounced(opening)
  if (request.thread === null) return { thread: yield* startSession(opening), contextLost: null } satisfies Opened
  if (!announced.resume && !announced.load) {
    const contextLost = `${opening.tracker.identity.name} can't take up a conversation again: it announces neither session/resume nor session/load.`
    return { thread: yield* startSession(opening), contextLost } satisfies Opened
  }
  opening.controls.own("model", yield* ownModel(opening, settings(opening)))
  const unknownThread = yield* resume(opening, request.thread).pipe(
    Effect.as(null),
    Effect.catchIf(isUnknown, (error) => Effect.succeed(error))
  )
  if (unknownThread === null) return { thread: request.thread, contextLost: null } satisfies Opened
  const contextLost = `${opening.tracker.identity.name} does not know the conversation ${request.thread} any more (${RefusedStart.reasonOf(unknownThread)}).`
  return { thread: yield* startSession(opening), contextLost } satisfies Opened
})

const startSession = Effect.fnUntraced(function* (opening: SessionOpening) {
  const { request, tracker } = opening
  const { fork } = request
  tracker.thread = null
  if (fork !== null) {
    yield* checkFork(opening, fork)
    opening.controls.own("model", yield* ownModel(opening, settings(opening)))
  }
  const method = fork === null ? "session/new" : "session/fork"
  const params = { ...(fork === null ? {} : { sessionId: fork.threadId }), ...settings(opening) }
  const result = yield* opening
    .send(method, params, opening.withinMillis, (result) => {
      tracker.thread = nonEmptyTextIn(at(result, "sessionId"))
    })
    .pipe(
      loggedIn(opening),
      Effect.catchIf(
        (error) => fork !== null && isUnknown(error),
        () =>
          new AgentFailed({
            class: "config",
            message: `${tracker.identity.name} does not know the conversation ${fork?.threadId} any more, of which this session would be a copy. Make a new session.`
          })
      )
    )
  if (tracker.thread === null) {
    return yield* new AgentFailed(Failures.malformed(tracker.identity, `the result of ${method} has no sessionId.`))
  }
  yield* configure(opening, tracker.thread, result)
  return tracker.thread
})

const checkFork = ({ announced, tracker }: SessionOpening, { agentTurnId }: Fork) => {
  const { name } = tracker.identity
  const message = !announced.fork
    ? `${name} can't copy a conversation: it announces no session/fork.`
    : agentTurnId !== null
      ? `${name} copies whole conversations only, not up to a turn.`
      : null
  return message === null ? Effect.void : Effect.fail(new AgentFailed({ class: "config", message }))
}

/** Resumes a thread in this process. Also used after the agent lost the thread's own process. */
export const resume = Effect.fnUntraced(function* (opening: SessionOpening, thread: string) {
  const { announced, tracker } = opening
  tracker.thread = thread
  const method = announced.resume ? "session/resume" : "session/load"
  const result = yield* Effect.suspend(() => {
    tracker.replaying = !announced.resume
    return opening.send(method, { sessionId: thread, ...settings(opening) }, opening.withinMillis, () => {
      tracker.replaying = false
    })
  }).pipe(
    Effect.retry({ schedule: whileTaken, while: isTaken }),
    loggedIn(opening),
    Effect.ensuring(Effect.sync(() => (tracker.replaying = false)))
  )
  yield* configure(opening, thread, result)
})

const authenticateWithinMillis = 20_000

/** Logs the agent in where it wants that, and asks once more. */
const loggedIn =
  (opening: SessionOpening) =>
  <A>(request: Effect.Effect<A, RpcError | RpcSilent>): Effect.Effect<A, AgentFailed | RpcError | RpcSilent> =>
    request.pipe(
      Effect.catchIf(wantsLogin, (refusal) =>
        logIn(opening, refusal).pipe(
          Effect.andThen((method) =>
            Effect.catchIf(request, wantsLogin, (again) =>
              notLoggedIn(opening, again, `Its method ${method} did not help.`)
            )
          )
        )
      )
    )

const wantsLogin = (error: RpcError | RpcSilent): error is RpcError =>
  error._tag === "RpcError" &&
  (error.code === Failures.authRequired || /\bauthentication (is )?required\b/i.test(error.message))

/** Gives the id of the method that was taken. */
const logIn = Effect.fnUntraced(function* (opening: SessionOpening, refusal: RpcError) {
  const { announced, login, request, send } = opening
  const method = Authenticate.choose(announced.auth, login.method, { ...login.env, ...request.env })
  if (method === null) {
    return yield* login.method === undefined
      ? notLoggedIn(opening, refusal)
      : notLoggedIn(opening, refusal, `It does not offer the configured method ${login.method}.`)
  }
  yield* send("authenticate", { methodId: method.id }, authenticateWithinMillis).pipe(
    Effect.catchTags({
      RpcError: (error) =>
        notLoggedIn(opening, refusal, `Its method ${method.id} failed: ${sentence(RefusedStart.reasonOf(error))}`),
      RpcSilent: (silent) =>
        silent.reason === "closed"
          ? Effect.fail(silent)
          : notLoggedIn(opening, refusal, `Its method ${method.id} did not end; it may wait for a person.`)
    })
  )
  return method.id
})

const notLoggedIn = ({ announced, tracker }: SessionOpening, refusal: RpcError, attempt = "") =>
  new AgentFailed(
    Failures.notLoggedIn(tracker.identity, refusal.message, attempt, Authenticate.described(announced.auth))
  )

/** Refuses what a session wants and the agent did not announce. */
const checkAnnounced = Effect.fnUntraced(function* ({ announced, request, tracker, trust }: SessionOpening) {
  yield* McpServers.checkTransports(request.mcpServers, announced.mcp, tracker.identity)
  // Gemini CLI 0.61 leaves them out, and says so nowhere.
  const hasServers = request.mcpServers.length > 0
  if (hasServers && announced.agent === "gemini" && !Repository.isTrusted(request.cwd, trust.trustedRoots)) {
    const message = `${tracker.identity.name} starts no MCP servers in a directory that its operator does not trust. Make a new session without mcp_servers, use another agent, or name the directory in the trustedRoots of this one.`
    return yield* new AgentFailed({ class: "config", message })
  }
  if (request.additionalDirectories.length === 0 || announced.additionalDirectories) return
  const message = `${tracker.identity.name} takes no additional directories: it does not announce them. Make a new session without them, or use another agent.`
  return yield* new AgentFailed({ class: "config", message })
})

/** The fields that all requests share that open a session. */
const settings = ({ announced, request, trust }: SessionOpening) => {
  const { additionalDirectories, cwd, mcpServers, systemPrompt } = request
  const instructions = announced.isClaude ? ClaudeOptions.instructions(request, trust) : null
  const texts = [instructions, systemPrompt].filter((text) => text !== null)
  return {
    cwd,
    mcpServers: mcpServers.map(McpServers.toAcp),
    ...(additionalDirectories.length === 0 ? {} : { additionalDirectories }),
    ...(texts.length === 0 || !announced.systemPrompt
      ? {}
      : { systemPrompt: { mode: "append", content: [{ type: "text", text: texts.join("\n\n") }] } }),
    ...(announced.isClaude ? { _meta: { claudeCode: { options: ClaudeOptions.make(request, trust) } } } : {})
  }
}

const configure = Effect.fnUntraced(function* (opening: SessionOpening, thread: string, result: unknown) {
  const { announced, controls, request, trust } = opening
  const { additionalDirectories, effort, mcpServers, mode, model } = request
  controls.opened(result)
  // Claude Code takes any name of a model in its options, and its gateway knows more names than its list has.
  yield* controls.apply(thread, { model, mode, effort }, announced.isClaude ? model : null)
  const modeNow = controls.current("mode")
  opening.configured = {
    ...(modeNow === null ? {} : { mode: modeNow }),
    ...(model === null ? {} : { model }),
    ...(effort === null ? {} : { effort }),
    ...(mcpServers.length === 0 ? {} : { mcp_servers: mcpServers.map(({ name }) => name) }),
    ...(additionalDirectories.length === 0 ? {} : { additional_directories: additionalDirectories }),
    ...(announced.isClaude ? { options: ClaudeOptions.make(request, trust) } : {})
  }
})

const isUnknown = (error: AgentFailed | RpcError | RpcSilent): error is RpcError =>
  error._tag === "RpcError" && RefusedStart.isUnknownThread(error)

/** codex lets one process at a time write to a thread (`data.reason`, observed with 0.166). */
const isTaken = (error: AgentFailed | RpcError | RpcSilent): boolean =>
  error._tag === "RpcError" && Failures.isTaken(error)
