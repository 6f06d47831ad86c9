/**
 * One live `codex app-server` and its one thread: prompts in, facts out, interrupts that hold.
 *
 * All facts are told from the reader, in wire order. An interrupt counts as done when the turn has ended and its
 * commands are dead: codex leaves them running, so the turn's end is held back until they are cleaned away.
 */
import { Deferred, Effect, Exit, Option } from "effect"
import { AgentFailed } from "../Agent.ts"
import type { AgentConnection, AgentFact, Capabilities, DriverConfig, OpenRequest } from "../Agent.ts"
import * as JsonRpc from "../JsonRpc.ts"
import type { Child, Processes } from "../Processes.ts"
import { redact, secretsOf } from "../redact.ts"
import { wireLine } from "../wireLine.ts"
import * as Approvals from "./Approvals.ts"
import * as Handshake from "./handshake.ts"
import * as Placeholders from "./placeholders.ts"
import { objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import * as Steering from "./steering.ts"
import * as Translator from "./Translator.ts"

export const capabilities: Capabilities = { resume: true, steer: true, compact: true, images: true }

/** `turn/start` was answered in 5 ms wherever it was; a process that takes this long is gone or wedged. */
const acceptWithinMillis = 30_000

const interruptWithinMillis = 4_500
const interruptRequestMillis = 1_500

/** How long to wait for a sign that the turn began before an interrupt is asked for again. */
const askAgainMillis = 100

/** After its output ended a process gets this long to be gone by itself. */
const lingerMillis = 1_000

/** The turn under way, and who waits for what of it. */
interface ActiveTurn {
  readonly named: Deferred.Deferred<void, AgentFailed>
  readonly started: Deferred.Deferred<void>
  readonly over: Deferred.Deferred<void>
  interrupting: boolean
}

export const open = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  config: DriverConfig,
  request: OpenRequest
) {
  const removePlaceholders = yield* Placeholders.remember(request.cwd)
  const child = yield* processes.spawn({
    lease: request.lease,
    command: config.command,
    cwd: request.cwd,
    env: config.env,
    stdin: true,
    spawned: request.spawned
  })
  const translator = Translator.make(request.thread)
  const secrets = secretsOf(config.env)
  let activeTurn: ActiveTurn | null = null
  /** The end of an interrupted turn, until its commands are dead; `cleaned` when codex was told to kill them. */
  let heldEnd: AgentFact | null = null
  let cleaned = false

  // ---- facts

  const onNotification = (method: string, params: unknown, raw: string): Effect.Effect<void> => {
    if (method === "serverRequest/resolved") return approvals.resolved(params)
    const facts = translator.notification(method, params)
    const running = translator.running()
    if (activeTurn !== null && running !== null) {
      if (running.agentTurnId !== null) Deferred.doneUnsafe(activeTurn.named, Exit.void)
      if (running.started) Deferred.doneUnsafe(activeTurn.started, Exit.void)
    }
    if (facts.length === 0 && heldEnd === null) return Effect.void
    return deliver(facts.map((fact) => (fact._tag === "TurnEnded" ? { ...fact, wire: toWireLine(raw) } : fact)))
  }

  const deliver = Effect.fnUntraced(function* (facts: ReadonlyArray<AgentFact>) {
    for (const fact of facts) {
      if (fact._tag !== "TurnEnded") yield* request.emit(fact)
      else if (activeTurn?.interrupting === true) {
        heldEnd = fact
        yield* clean
      } else yield* end(fact)
    }
    if (heldEnd !== null && cleaned && !translator.commandsOpen()) yield* release
  })

  /** The next prompt may come as soon as this is told. */
  const end = (fact: AgentFact) =>
    Effect.suspend(() => {
      const ended = activeTurn
      activeTurn = null
      const over = ended === null ? Effect.void : Effect.asVoid(Deferred.succeed(ended.over, undefined))
      return Effect.andThen(request.emit(fact), over)
    })

  const release = Effect.suspend(() => {
    const fact = heldEnd
    heldEnd = null
    cleaned = false
    return fact === null ? Effect.void : Effect.andThen(removePlaceholders, end(fact))
  })

  /** Answered before the commands' own ends come, so these are waited for; refused or silent, the end goes out. */
  const clean = Effect.suspend(() =>
    peer.post("thread/backgroundTerminals/clean", { threadId: thread }, (reply) =>
      Effect.suspend(() => {
        cleaned = true
        return reply.ok && translator.commandsOpen() ? Effect.void : release
      })
    )
  ).pipe(Effect.catch(() => release))

  // ---- the wire

  const toWireLine = (raw: string): string => wireLine(raw, secrets)
  const approvals = Approvals.make({ translator, approve: request.approve, toWireLine: toWireLine })
  const peer = yield* JsonRpc.make(child, { versioned: false, onNotification, onRequest: approvals.answer })
  const { thread, contextLost, version, wire } = yield* Handshake.run(peer, child, request, toWireLine)
  translator.adopt(thread)

  // Whatever was under way ends with the process, after an end that codex has told.
  const settled = Effect.andThen(
    Effect.andThen(removePlaceholders, release),
    Effect.sync(() => (activeTurn === null ? undefined : abandon(activeTurn, wentAway)))
  )
  yield* watch(processes, request, peer, child, settled).pipe(Effect.forkScoped)

  // ---- turns

  /** Hands a turn over, and waits until codex has named it: a compaction's name comes with `turn/started` only. */
  const startTurn = Effect.fnUntraced(function* (
    turn: number,
    method: "turn/start" | "thread/compact/start",
    input: JsonObject
  ) {
    if (activeTurn !== null) return yield* Effect.die(new Error(`Turn ${turn} was prompted while another one runs.`))
    const asked: ActiveTurn = {
      named: Deferred.makeUnsafe(),
      started: Deferred.makeUnsafe(),
      over: Deferred.makeUnsafe(),
      interrupting: false
    }
    activeTurn = asked
    translator.begin(turn)
    yield* peer
      .post(method, { threadId: thread, ...input }, (reply) => {
        // Named by `turn/started` already, or given up by its caller: the reply has no more news.
        if (activeTurn !== asked) return Effect.void
        if (reply.ok) {
          const named = textIn(objectIn(objectIn(reply.result)["turn"])["id"])
          if (named === null) return Effect.void
          const facts = translator.accepted(named)
          return Effect.andThen(deliver(facts), Deferred.succeed(asked.named, undefined))
        }
        if (translator.running()?.agentTurnId != null) return Effect.void
        abandon(asked, refused(reply.error))
        return Effect.void
      })
      .pipe(
        Effect.mapError((error) => {
          abandon(asked, refused(error))
          return refused(error)
        })
      )
    yield* Deferred.await(asked.named).pipe(
      Effect.timeoutOrElse({
        duration: acceptWithinMillis,
        orElse: () => Effect.fail(refused(new JsonRpc.RpcSilent({ method, reason: "timeout" })))
      })
    )
  })

  const prompt = (turn: number, text: string) => startTurn(turn, "turn/start", { input: [{ type: "text", text }] })

  /** Asked for during a turn it would interrupt that turn (0.169), so it is one: the caller owns the queue. */
  const compact = (turn: number) => startTurn(turn, "thread/compact/start", {})

  const steer = Steering.make({
    peer,
    thread,
    running: translator.running,
    current: () => activeTurn,
    emit: request.emit
  })

  /** There is no such turn any more. Whoever waits may prompt again at once, so that comes last. */
  const abandon = (asked: ActiveTurn, reason: AgentFailed) => {
    if (activeTurn === asked) activeTurn = null
    translator.dropPrompt()
    Deferred.doneUnsafe(asked.named, Exit.fail(reason))
    Deferred.doneUnsafe(asked.over, Exit.void)
  }

  // ---- the end

  /** Until codex has begun the turn it answers "no active turn" and goes on, so it is asked again. */
  const askUntilOver = Effect.fnUntraced(function* (turn: ActiveTurn) {
    yield* Effect.ignore(Deferred.await(turn.named))
    while (!Deferred.isDoneUnsafe(turn.over)) {
      const running = translator.running()
      if (running === null || running.agentTurnId === null) return yield* Deferred.await(turn.over)
      const params = { threadId: thread, turnId: running.agentTurnId }
      const heard = yield* Effect.result(
        peer.request("turn/interrupt", params, { timeoutMillis: interruptRequestMillis })
      )
      const sign = heard._tag === "Success" || running.started ? turn.over : turn.started
      yield* Effect.timeoutOption(Deferred.await(sign), askAgainMillis)
    }
  })

  const interrupt = Effect.suspend(() => {
    const turn = activeTurn
    if (turn === null) return Effect.void
    turn.interrupting = true
    return askUntilOver(turn).pipe(
      Effect.timeoutOption(interruptWithinMillis),
      // Whatever keeps its commands alive does not keep its end from whoever waits for it.
      Effect.andThen(release)
    )
  })

  return {
    pid: child.pid,
    thread,
    wire,
    contextLost,
    version,
    capabilities,
    prompt,
    compact,
    steer,
    interrupt,
    askToExit: interrupt.pipe(Effect.andThen(child.end), Effect.forkIn(yield* Effect.scope), Effect.asVoid)
  } satisfies AgentConnection
})

/** Says that it is over, once, after everything that came before it. */
const watch = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  request: OpenRequest,
  peer: JsonRpc.Peer,
  child: Child,
  settled: Effect.Effect<void>
) {
  const ended = yield* Effect.result(peer.ended)
  const broken = ended._tag === "Failure" ? `${ended.failure.message}\n` : ""
  // Without its output it is of no use; whoever has more to end than this process will sweep.
  if (broken !== "" || Option.isNone(yield* Effect.timeoutOption(child.exit, lingerMillis))) {
    yield* processes.signal(request.lease, "SIGKILL")
  }
  const { code, signal } = yield* child.exit
  yield* settled
  yield* request.emit({ _tag: "Exited", code, signal, stderr: `${broken}${yield* child.stderr}` })
})

const refused = (error: JsonRpc.RpcError | JsonRpc.RpcSilent): AgentFailed => {
  if (error._tag === "RpcError") {
    const tooLarge = objectIn(error.data)["input_error_code"] === "input_too_large" || error.code === -32602
    return new AgentFailed(
      tooLarge
        ? {
            class: "config",
            message: "The prompt is longer than codex takes (1,048,576 characters). Send less, or a file."
          }
        : { class: "protocol", message: `Codex refused the prompt: ${redact(error.message).slice(0, 1_000)}` }
    )
  }
  return error.reason === "timeout"
    ? new AgentFailed({ class: "timeout", message: "Codex did not take the prompt in time. Its process is replaced." })
    : wentAway
}

const wentAway = new AgentFailed({
  class: "crash",
  message: "Codex went away before it said that it took the prompt; whether it did is not known."
})
