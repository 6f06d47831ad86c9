/**
 * Opens a session of an ACP agent: a new one, or an earlier one resumed; and configures it as our session wants it.
 *
 * Model, mode and instructions are sent each time: codex-acp forgets mode and model over a resume, and Claude remembers
 * even a mode that no longer asks. The updates that a load plays back are not emitted.
 */
import { Effect, Schedule } from "effect"
import { at, listIn, nonEmptyTextIn, objectIn } from "../../domain/json.ts"
import type { JsonObject, JsonRecord } from "../../domain/json.ts"
import { AgentFailed } from "../Agent.ts"
import type { OpenRequest } from "../Agent.ts"
import type { RpcError, RpcSilent } from "../RpcError.ts"
import * as Authenticate from "./authenticate.ts"
import * as ClaudeOptions from "./claudeOptions.ts"
import * as Failures from "./failures.ts"
import type { Announced } from "./handshake.ts"
import * as RefusedStart from "./refusedStart.ts"
import type { SendRequest } from "./request.ts"
import { line, sentence } from "./sentence.ts"
import type { TurnTracker } from "./TurnTracker.ts"

export interface Login {
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
  /** Modes and models as last offered, because a resume need not repeat them. */
  offered: JsonObject
}

export interface Opened {
  readonly thread: string
  /** Why the thread that was requested is not this one. */
  readonly contextLost: string | null
}

const configureWithinMillis = 10_000

/** For a thread that another process still has, and which may be dying: codex releases it when that process is gone. */
const whileTaken = Schedule.max([Schedule.spaced("500 millis"), Schedule.recurs(10)])

export const open = Effect.fnUntraced(function* (opening: SessionOpening) {
  const { announced, request } = opening
  if (request.thread === null) return { thread: yield* startSession(opening), contextLost: null } satisfies Opened
  if (!announced.resume && !announced.load) {
    const contextLost = `${opening.tracker.identity.name} can't take up a conversation again: it announces neither session/resume nor session/load.`
    return { thread: yield* startSession(opening), contextLost } satisfies Opened
  }
  const unknownThread = yield* resume(opening, request.thread).pipe(
    Effect.as(null),
    Effect.catchIf(isUnknown, (error) => Effect.succeed(error))
  )
  if (unknownThread === null) return { thread: request.thread, contextLost: null } satisfies Opened
  const contextLost = `${opening.tracker.identity.name} does not know the conversation ${request.thread} any more (${RefusedStart.reasonOf(unknownThread)}).`
  return { thread: yield* startSession(opening), contextLost } satisfies Opened
})

const startSession = Effect.fnUntraced(function* (opening: SessionOpening) {
  const { tracker } = opening
  tracker.thread = null
  const result = yield* opening
    .send("session/new", settings(opening), opening.withinMillis, (result) => {
      tracker.thread = nonEmptyTextIn(at(result, "sessionId"))
    })
    .pipe(loggedIn(opening))
  if (tracker.thread === null) {
    return yield* new AgentFailed(Failures.malformed(tracker.identity, "the result of session/new has no sessionId."))
  }
  yield* configure(opening, tracker.thread, result)
  return tracker.thread
})

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
  const { announced, login, send } = opening
  const method = Authenticate.choose(announced.auth, login.method, login.env)
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

/** The fields that `session/new`, `session/resume` and `session/load` share. */
const settings = ({ announced, request, trust }: SessionOpening) => {
  const { cwd, systemPrompt } = request
  const instructions = announced.isClaude ? ClaudeOptions.instructions(request, trust) : null
  const texts = [instructions, systemPrompt].filter((text) => text !== null)
  return {
    cwd,
    mcpServers: [],
    ...(texts.length === 0 || !announced.systemPrompt
      ? {}
      : { systemPrompt: { mode: "append", content: [{ type: "text", text: texts.join("\n\n") }] } }),
    ...(announced.isClaude ? { _meta: { claudeCode: { options: ClaudeOptions.make(request, trust) } } } : {})
  }
}

const configure = Effect.fnUntraced(function* (opening: SessionOpening, thread: string, result: unknown) {
  opening.offered = { ...opening.offered, ...objectIn(result) }
  const mode = modeFor(opening)
  if (mode !== null) {
    yield* opening.send("session/set_mode", { sessionId: thread, modeId: mode }, configureWithinMillis)
  }
  const { announced, request, trust } = opening
  if (request.model !== null) yield* setModel(opening, thread, request.model)
  opening.configured = {
    ...(mode === null ? {} : { mode }),
    ...(request.model === null ? {} : { model: request.model }),
    ...(announced.isClaude ? { options: ClaudeOptions.make(request, trust) } : {})
  }
})

/**
 * Modes in which an agent asks its client, by their ids: codex-acp's are named after its sandbox (in its default, `agent`,
 * a model decides instead of a person); Claude, Gemini and others call theirs `default`. The session's permissions decide who may say yes, not a mode, so that each answer is recorded. So no mode accepts edits: in
 * Claude's `acceptEdits` commands would write unasked, too.
 */
const askingModes = ["read-only", "default"]

/** Under `approve_all` codex-acp's sandbox has room for the session's directory. */
const approvingModes = ["workspace-write", "default"]

/** To other agents, such as Cursor, `ask` means that they only answer questions. */
const demoAskingModes = ["ask"]

/** `null`: the agent offers no mode that is known to ask, and stays in its own. */
const modeFor = ({ announced, offered, request }: SessionOpening): string | null => {
  const ids = new Set(listIn(at(offered, "modes", "availableModes")).map((mode) => objectIn(mode)["id"]))
  const asking = announced.agent === "demo" ? demoAskingModes : askingModes
  const modes = request.permissions === "approve_all" ? approvingModes : asking
  return modes.find((mode) => ids.has(mode)) ?? null
}

const setModel = Effect.fnUntraced(function* (opening: SessionOpening, thread: string, model: string) {
  const { tracker, offered } = opening
  const models = listIn(at(offered, "models", "availableModels")).flatMap(
    (offeredModel) => nonEmptyTextIn(objectIn(offeredModel)["modelId"]) ?? []
  )
  const option = modelOption(offered)
  if (option !== null && option.values.includes(model)) {
    const choice = { sessionId: thread, configId: option.id, value: model }
    return yield* opening.send("session/set_config_option", choice, configureWithinMillis)
  }
  if (models.includes(model)) {
    return yield* opening.send("session/set_model", { sessionId: thread, modelId: model }, configureWithinMillis)
  }
  // Claude Code takes any name in its options, and its gateway knows more names than its list has.
  if (opening.announced.isClaude) return
  const choices = [...new Set([...(option?.values ?? []), ...models])]
  return yield* new AgentFailed({
    class: "config",
    message:
      choices.length === 0
        ? `${tracker.identity.name} lets its client choose no model. Leave model out, and set it in the agent's own configuration.`
        : `${tracker.identity.name} does not know the model ${line(model, 80)}. It takes: ${line(choices.join(", "), 600)}.`
  })
})

/** The configuration option that chooses the model, with its values, which may come in groups. */
const modelOption = (offer: unknown) => {
  const options = listIn(at(offer, "configOptions")).map(objectIn)
  const option = options.find(({ category }) => category === "model") ?? options.find(({ id }) => id === "model")
  const id = nonEmptyTextIn(option?.["id"])
  if (option === undefined || id === null) return null
  const values = listIn(option["options"]).flatMap((entry) => {
    const { options: group, value } = objectIn(entry)
    return nonEmptyTextIn(value) ?? listIn(group).flatMap((inner) => nonEmptyTextIn(objectIn(inner)["value"]) ?? [])
  })
  return { id, values }
}

const isUnknown = (error: AgentFailed | RpcError | RpcSilent): error is RpcError =>
  error._tag === "RpcError" && RefusedStart.isUnknownThread(error)

/** codex lets one process at a time write to a thread (`data.reason`, observed with 0.166). */
const isTaken = (error: AgentFailed | RpcError | RpcSilent): boolean =>
  error._tag === "RpcError" && Failures.isTaken(error)
