/**
 * Any agent that speaks the Agent Client Protocol, version 1, over its stdin and stdout.
 *
 * One process, one session, one prompt in flight. What the agent says passes through as it came; what this adds is the
 * turn it belongs to, an end for every turn, an answer to every question, and a way back where the agent lost the
 * process behind a session that it still has.
 */
import { Deferred, Effect, Option, Scope, Semaphore } from "effect"
import { AgentFailed } from "../Agent.ts"
import type { AgentConnection, AgentDriver, DriverConfig, OpenRequest } from "../Agent.ts"
import type { Failure } from "../../domain/Turn.ts"
import * as JsonRpc from "../JsonRpc.ts"
import { RpcError } from "../JsonRpc.ts"
import type { RpcSilent } from "../JsonRpc.ts"
import { Processes } from "../Processes.ts"
import { secretsOf } from "../redact.ts"
import { wireLine } from "../wireLine.ts"
import * as Approvals from "./Approvals.ts"
import * as Request from "./request.ts"
import * as Commands from "./commands.ts"
import * as TurnTracker from "./TurnTracker.ts"
import type { PromptReply } from "./TurnTracker.ts"
import * as HeldEnd from "./HeldEnd.ts"
import * as Failures from "./failures.ts"
import * as Handshake from "./handshake.ts"
import * as Steering from "./steering.ts"
import * as OpenSession from "./openSession.ts"
import { watch } from "./watch.ts"

/** What is true of most ACP agents; what is true of this one is known after its handshake. */
const usual = { resume: true, steer: false, compact: false, images: true }

export const make = (config: DriverConfig): Effect.Effect<AgentDriver, never, Processes> =>
  Effect.gen(function* () {
    const processes = yield* Processes
    const driver: AgentDriver = {
      name: config.name,
      protocol: "acp",
      capabilities: usual,
      open: Effect.fn("Acp.open")((request) => open(processes, config, request))
    }
    return driver
  })

/** Both adapters answer in 0.3 s; one that `npx` has to fetch first takes as long as that takes. */
const handshakeWithinMillis = 45_000

/** A cancel is answered in 25 ms where nothing is wrong. After the second the supervisor goes on to stronger means. */
const cancelWithinMillis = 2_000
const closeWithinMillis = 1_000

/** What `AgentConnection.interrupt` promises. */
const interruptWithinMillis = 5_000

const open = Effect.fnUntraced(function* (processes: Processes["Service"], config: DriverConfig, request: OpenRequest) {
  const { cwd, lease, spawned, emit: tell } = request
  const { command, env } = config
  const scope = yield* Scope.Scope
  const child = yield* processes.spawn({ lease, command, cwd, env, stdin: true, spawned })
  const tracker = TurnTracker.make(Failures.identify(config.name))
  const secrets = secretsOf(env)
  const approvals = Approvals.make(tracker, request.approve)
  const peer = yield* JsonRpc.make(child, {
    versioned: true,
    onNotification: (method, params) => {
      if (method === "$/cancel_request") return approvals.cancel(params)
      // `_auth/status_update` and what else may come: nothing that a turn depends on.
      const fact = method === "session/update" ? tracker.receive(params) : null
      return fact === null ? Effect.void : tell(fact)
    },
    onRequest: (method, params, id, raw) =>
      method === "session/request_permission"
        ? approvals.answer(params, id, wireLine(raw, secrets))
        : Effect.fail(unknownMethod(method))
  })

  let answer = ""
  const send = Request.make(peer, (line) => {
    answer = wireLine(line, secrets)
  })

  const { announced, opened, wire } = yield* Effect.gen(function* () {
    const announced = Handshake.read(yield* send("initialize", Handshake.params, handshakeWithinMillis))
    if (announced.name !== null) tracker.identity = Failures.identify(announced.name)
    if (announced.protocol !== 1) {
      const what = `it speaks version ${String(announced.protocol)} of the Agent Client Protocol, Troupe speaks version 1.`
      return yield* new AgentFailed(Failures.malformed(tracker.identity, what))
    }
    const wire: OpenSession.SessionOpening = { send: send, tracker: tracker, announced, request, offered: {} }
    return { announced, wire, opened: yield* OpenSession.open(wire) }
  }).pipe(
    Effect.catchTags({
      RpcError: (error) =>
        new AgentFailed({ ...Failures.ofError(tracker.identity, "to start the conversation", error), wire: answer }),
      RpcSilent: (silent) =>
        Effect.flatMap(Request.failureOfSilence(child, tracker.identity, silent), (failure) => Effect.fail(failure))
    })
  )
  const { thread } = opened
  const openedBy = answer

  // ---- turns

  // Held by whatever must not meet another: a prompt that is written, an interrupt that is carried through.
  const turning = yield* Semaphore.make(1)
  let ended = Deferred.makeUnsafe<void>()
  const ending = HeldEnd.make(tell)

  // For an agent that takes no instructions of its own place: they go in front of the thread's first prompt.
  const isNew = request.thread !== thread
  let preface = isNew && !announced.systemPrompt ? request.systemPrompt : null

  const finish = (reply: PromptReply, wire?: string) => {
    const fact = tracker.end(reply)
    if (fact === null) return Effect.void
    if (reply.ok) preface = null
    return Effect.andThen(
      approvals.withdrawAll,
      Effect.ensuring(
        ending.tell(wire === undefined ? fact : { ...fact, wire }),
        Effect.sync(() => Deferred.doneUnsafe(ended, Effect.void))
      )
    )
  }

  const post = (text: string, isSecondTry: boolean): Effect.Effect<void, RpcSilent> => {
    const prompt = [...(preface === null ? [] : [preface]), text].map((text) => ({ type: "text", text }))
    return peer.post("session/prompt", { sessionId: thread, prompt }, (reply, raw) => {
      if (reply.ok) return finish(reply, wireLine(raw, secrets))
      // The process is gone, and `Exited` is the end of this turn.
      if (reply.error._tag === "RpcSilent") return Effect.void
      const { error } = reply
      if (error.code === Failures.notFound && !isSecondTry && tracker.nothingReceived()) {
        return Effect.asVoid(Effect.forkIn(comeBack(text, error), scope))
      }
      return finish({ ok: false, error }, wireLine(raw, secrets))
    })
  }

  /**
   * The adapter is there and the session's own process is not (Claude's died between turns): the prompt was refused
   * before anybody read it, so it is safe to resume and to hand it over again, once.
   */
  const comeBack = (text: string, error: RpcError) =>
    OpenSession.resume(wire, thread).pipe(
      Effect.andThen(
        Effect.suspend(() =>
          tracker.cancelling() ? finish({ ok: true, result: { stopReason: "cancelled" } }) : post(text, true)
        )
      ),
      Effect.catch((failure) =>
        failure._tag === "RpcSilent" && failure.reason === "closed" ? Effect.void : finish({ ok: false, error })
      )
    )

  const prompt: AgentConnection["prompt"] = (turn, text) =>
    Effect.suspend(() => {
      tracker.begin(turn)
      ended = Deferred.makeUnsafe()
      return post(text, false)
    }).pipe(
      Effect.catch((silent) => {
        tracker.abandon()
        return Effect.flatMap(Request.failureOfSilence(child, tracker.identity, silent), (failure) =>
          Effect.fail(failure)
        )
      }),
      turning.withPermit
    )

  const cancel = Effect.suspend(() => {
    tracker.noteCancel()
    return Effect.andThen(peer.notify("session/cancel", { sessionId: thread }), approvals.withdrawAll)
  })

  const hasEnded = Effect.suspend(() => Deferred.await(ended)).pipe(
    Effect.timeoutOption(cancelWithinMillis),
    Effect.map(Option.isSome)
  )

  /** codex-acp ends the turn and lets its commands run on. Closing the session ends them; then it is taken up again. */
  const endCommands = (turn: number) =>
    Effect.gen(function* () {
      const left = tracker.leftRunning(turn)
      if (left.length === 0 && !(yield* Commands.anyLeft(processes, lease))) return
      if (!announced.close || !announced.resume) return
      yield* send("session/close", { sessionId: thread }, closeWithinMillis)
      // A closed session says no more of its commands; whoever shows them has to know that they are over.
      for (const toolCallId of left) {
        const update = { sessionUpdate: "tool_call_update", toolCallId, status: "failed" }
        const fact = tracker.receive({ sessionId: thread, update })
        if (fact !== null) yield* tell(fact)
      }
      yield* OpenSession.resume(wire, thread)
      // Where this fails the agent does not know the session any more, and the next prompt finds its way back.
    }).pipe(Effect.ignore)

  const interrupt = Effect.gen(function* () {
    const turn = tracker.running()
    if (turn === null) return
    const hadCommands = tracker.leftRunning(turn).length > 0
    yield* cancel
    // An agent that was still about to begin may have missed the first.
    const stopped = (yield* hasEnded) || (yield* Effect.andThen(cancel, hasEnded))
    if (!stopped) return
    // Claude ends its commands itself; what it has in the background is meant to go on.
    if (!announced.isClaude) yield* endCommands(turn)
    if (hadCommands) yield* Commands.untilGone(processes, lease)
  }).pipe(ending.after, turning.withPermit, Effect.timeoutOption(interruptWithinMillis), Effect.asVoid)

  const askToExit = Effect.gen(function* () {
    if (tracker.running() !== null) yield* cancel
    if (announced.close) yield* Effect.ignore(send("session/close", { sessionId: thread }, closeWithinMillis))
    yield* child.end
  }).pipe(Effect.forkIn(scope), Effect.asVoid)

  /** What waits for a connection that is over. A broken protocol ends the turn by its name; else `Exited` is its end. */
  const over = (failure: Failure | null) =>
    Effect.suspend(() => {
      const turn = tracker.running()
      tracker.abandon()
      if (turn === null || failure === null) return Effect.andThen(approvals.withdrawAll, ending.release)
      const told = tell({ _tag: "TurnEnded", turn, stopReason: "error", usage: null, failure })
      return Effect.andThen(approvals.withdrawAll, told)
    })

  yield* watch({ child, over, peer, processes, request }).pipe(Effect.forkIn(scope))

  return {
    pid: child.pid,
    thread,
    ...(openedBy === "" ? {} : { wire: openedBy }),
    contextLost: opened.contextLost,
    version: announced.version,
    capabilities: {
      resume: announced.resume || announced.load,
      steer: announced.steer,
      compact: false,
      images: announced.images
    },
    prompt,
    ...(announced.steer ? { steer: Steering.make({ child, tracker: tracker, peer, emit: tell, thread }) } : {}),
    interrupt,
    askToExit
  } satisfies AgentConnection
})

const unknownMethod = (method: string) =>
  new RpcError({ code: Failures.methodNotFound, message: `"Method not found": ${method}`, data: { method } })
