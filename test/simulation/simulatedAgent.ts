/** An agent of a simulation: what it does at its start and with a prompt is chosen by dice, well-behaved or not. */
import { Deferred, Effect, Exit, Scope, Semaphore } from "effect"
import { AgentFailed } from "../../src/agent/Agent.ts"
import type { AgentConnection, AgentDriver, AgentFact, OpenRequest, Spare, SpareSpec } from "../../src/agent/Agent.ts"
import { noCapabilities } from "../../src/agent/Capabilities.ts"
import { updateMessage } from "../../src/domain/Acp.ts"
import type { SessionUpdate } from "../../src/domain/Acp.ts"
import { noChoices } from "../../src/domain/Session.ts"
import type { Failure } from "../../src/domain/Turn.ts"
import type { Incarnation } from "./Incarnation.ts"
import type { Dice } from "./random.ts"
import { nobody } from "./World.ts"
import type { SimulatedProcess, World } from "./World.ts"

const capabilities = { ...noCapabilities, resume: true, steer: true, compact: true, model: true }

/** What is chosen for agents, and can be turned to good behaviour at the end. */
export interface Behaviour {
  isGood: boolean
}

const usage = { inputTokens: 3, cachedInputTokens: 1, outputTokens: 2, reasoningTokens: 0, totalTokens: 5 }

export const simulatedDriver = (world: World, behaviour: Behaviour, runtime: Incarnation): AgentDriver => {
  const spares = new Map<
    number,
    { readonly process: SimulatedProcess; readonly gone: Deferred.Deferred<string | null> }
  >()

  const spawn = Effect.fnUntraced(function* (
    { lease, session, spawned }: Pick<OpenRequest, "lease" | "session" | "spawned">,
    dice: Dice
  ) {
    yield* runtime.crossing("before a spawn")
    runtime.held.hold(lease)
    if (!runtime.held.mayStart(lease, runtime.now())) {
      return yield* new AgentFailed({ class: "crash", message: "the node's lease ran out" })
    }
    const isStubborn = !behaviour.isGood && dice.chance(0.2)
    const process = world.start({ session, lease, node: runtime.name, isDetached: false, isStubborn })
    const gone = yield* Deferred.make<string | null>()
    process.onExit = (signal) => runtime.whenAwake(() => void Deferred.doneUnsafe(gone, Effect.succeed(signal)))
    yield* Effect.addFinalizer(() => Effect.sync(() => (runtime.isAlive ? world.end(process, "SIGKILL") : undefined)))
    yield* spawned(process.pid)
    yield* runtime.crossing("after a spawn")
    return { process, gone }
  })

  const startSpare: SpareSpec["start"] = Effect.fnUntraced(
    function* ({ lease, scope, spawned }) {
      const dice = world.diceFor(nobody)
      const { gone, process } = yield* spawn({ lease, session: nobody, spawned }, dice)
      yield* Effect.sleep(dice.between(0, 800))
      if (!behaviour.isGood && dice.chance(0.1)) world.end(process, null)
      if (!process.isAlive) return yield* new AgentFailed({ class: "crash", message: "it died in the handshake" })
      if (!behaviour.isGood && dice.chance(0.2)) {
        yield* Effect.forkScoped(
          Effect.delay(
            Effect.sync(() => world.end(process, "SIGSEGV")),
            dice.between(0, 60_000)
          )
        )
      }
      spares.set(process.pid, { process, gone })
      const ended = Effect.asVoid(Deferred.await(gone))
      return { lease, pid: process.pid, ended, close: Scope.close(scope, Exit.void) }
    },
    (start, { scope }) => Scope.provide(start, scope)
  )

  const spare: SpareSpec = {
    key: "simulated",
    directory: null,
    files: [],
    start: startSpare,
    serves: ({ pid }) =>
      Effect.andThen(runtime.crossing("while a spare is looked at"), () => {
        const whose = spares.get(pid)?.process.session ?? nobody
        if (whose !== nobody) world.violate("a spare serves one session", `process ${pid} is of ${world.name(whose)}`)
        return Effect.succeed(true)
      })
  }

  const handOver = Effect.fnUntraced(function* (given: Spare, request: OpenRequest) {
    yield* Effect.addFinalizer(() => given.close)
    const known = spares.get(given.pid)!
    if (known.process.isAlive) world.note(`process ${given.pid} is taken by ${world.name(request.session)}`)
    known.process.session = request.session
    yield* runtime.crossing("when a spare was taken")
    return known
  })

  const open = Effect.fnUntraced(function* (request: OpenRequest) {
    const dice = world.diceFor(request.session)
    const { gone, process } =
      request.spare === undefined ? yield* spawn(request, dice) : yield* handOver(request.spare, request)
    const good = behaviour.isGood
    const kind = good
      ? "ready"
      : dice.weighted({ ready: 30, fails: 2, auth: 1, quota: 1, dies: 2, hangs: 1, slow: 4, lostThread: 1 })
    if (kind === "slow") yield* Effect.sleep(dice.between(1, 20_000))
    else if (!good) yield* Effect.sleep(dice.between(0, 800))
    if (kind === "hangs") yield* Effect.raceFirst(Effect.never, Deferred.await(gone))
    if (kind === "dies") world.end(process, null)
    if (!process.isAlive) return yield* new AgentFailed({ class: "crash", message: "it died in the handshake" })
    if (kind === "fails") return yield* new AgentFailed({ class: "protocol", message: "it does not shake hands" })
    if (kind === "auth") return yield* new AgentFailed({ class: "auth", message: "it is not logged in" })
    if (kind === "quota") return yield* new AgentFailed({ class: "quota", message: "the account is used up" })

    const isKnown = request.thread !== null && world.threads.has(request.thread) && kind !== "lostThread"
    const thread = isKnown ? request.thread! : `thread-${world.threads.size + 1}`
    world.threads.add(thread)
    const contextLost = request.thread === null || isKnown ? null : "the agent does not know the thread"
    return yield* connect(dice, request, process, gone, thread, contextLost)
  })

  const connect = Effect.fnUntraced(function* (
    dice: Dice,
    request: OpenRequest,
    process: SimulatedProcess,
    gone: Deferred.Deferred<string | null>,
    thread: string,
    contextLost: string | null
  ) {
    const scope = yield* Effect.scope
    // Facts are passed on one after the other, as the lines of an agent are.
    const wire = yield* Semaphore.make(1)
    const emit = (fact: AgentFact) =>
      Effect.suspend(() => (runtime.isAlive ? request.emit(fact) : Effect.void)).pipe(wire.withPermit)
    let running: number | null = null
    /** Bumped by an interrupt: what the turn's script had still to do is not done. */
    let interrupts = 0

    yield* Deferred.await(gone).pipe(
      Effect.flatMap((signal) => emit({ _tag: "Exited", code: signal === null ? 1 : null, signal, stderr: "" })),
      Effect.forkIn(scope)
    )
    const end = (turn: number, stopReason: "end_turn" | "cancelled" | "error", failure: Failure | null) => {
      if (running === turn) running = null
      if (stopReason === "end_turn") world.ended.add(`${request.session} ${turn}`)
      world.note(`process ${process.pid} ends turn ${turn}: ${failure?.class ?? stopReason}`)
      return emit({ _tag: "TurnEnded", turn, stopReason, usage, failure })
    }
    const update = (turn: number | null, update: SessionUpdate) =>
      emit({ _tag: "Update", turn, message: updateMessage(thread, update) })

    const script = Effect.fnUntraced(function* (turn: number) {
      const before = interrupts
      const isOn = () => process.isAlive && interrupts === before
      const most = behaviour.isGood ? 2 : 6
      yield* emit({ _tag: "TurnStarted", turn, agentTurnId: `turn-${turn}` })
      for (let left = dice.between(0, most); left > 0 && isOn(); left--) {
        yield* Effect.sleep(dice.pick([0, 1, 30, 500, 5_000]))
        if (!isOn()) return
        yield* act(turn)
      }
      yield* Effect.sleep(dice.between(0, 1_000))
      if (isOn() && process.isAlive) yield* finish(turn)
    })

    const act = Effect.fnUntraced(function* (turn: number) {
      const what = behaviour.isGood
        ? "says"
        : dice.weighted({ says: 10, tool: 5, approval: 4, late: 1, foreign: 1, dies: 1, waits: 2, child: 1 })
      switch (what) {
        case "says":
          return yield* update(turn, chunk(`word ${dice.below(1_000)} `))
        case "tool":
          yield* update(turn, {
            sessionUpdate: "tool_call",
            toolCallId: `t${turn}`,
            title: "a tool",
            status: "in_progress"
          })
          return yield* update(turn, { sessionUpdate: "tool_call_update", toolCallId: `t${turn}`, status: "completed" })
        case "approval": {
          const id = `${process.pid}-${turn}-${dice.below(1e6)}`
          const asked = request.approve({
            id,
            turn,
            kind: "execute",
            title: "a command",
            action: { _tag: "Other" },
            toolCallId: null,
            raw: {}
          })
          world.note(`process ${process.pid} asks in turn ${turn}`)
          // An agent may take its question back, or go on without the answer.
          const answer = Effect.map(asked, (decision) => world.note(`process ${process.pid} is answered: ${decision}`))
          return yield* dice.chance(0.2)
            ? Effect.asVoid(Effect.timeoutOption(answer, dice.between(1, 5_000)))
            : Effect.raceFirst(answer, Effect.asVoid(Deferred.await(gone)))
        }
        case "late":
          return yield* update(Math.max(1, turn - 1), chunk("late "))
        case "foreign":
          return yield* emit({ _tag: "TurnEnded", turn: turn - 1, stopReason: "end_turn", usage: null, failure: null })
        case "dies":
          return world.end(process, "SIGSEGV")
        case "waits":
          return yield* Effect.sleep(dice.between(1_000, 90_000))
        case "child": {
          const { lease, session } = process
          world.start({ lease, session, node: runtime.name, isDetached: true, isStubborn: true })
        }
      }
    })

    const finish = Effect.fnUntraced(function* (turn: number) {
      const how = behaviour.isGood
        ? "ends"
        : dice.weighted({ ends: 20, twice: 2, fails: 2, quota: 1, never: 2, dies: 1, endsAndDies: 1 })
      if (how === "never") return
      if (how === "dies") return world.end(process, null)
      if (how === "quota") return yield* end(turn, "error", { class: "quota", message: "the account is used up" })
      if (how === "fails") return yield* end(turn, "error", { class: "model", message: "the model failed" })
      yield* end(turn, "end_turn", null)
      if (how === "twice") yield* end(turn, "end_turn", null)
      if (how === "endsAndDies") world.end(process, null)
    })

    const prompt = Effect.fnUntraced(function* (turn: number) {
      yield* runtime.crossing("before a prompt")
      if (!process.isAlive) return yield* new AgentFailed({ class: "crash", message: "its stdin is closed" })
      world.hand({ session: request.session, turn, pid: process.pid })
      running = turn
      yield* Effect.forkIn(script(turn), scope)
      yield* runtime.crossing("after a prompt")
    })

    const connection: AgentConnection = {
      pid: process.pid,
      thread,
      contextLost,
      version: "1",
      capabilities,
      configured: {},
      choices: () => noChoices,
      prompt,
      compact: prompt,
      steer: (text) =>
        Effect.suspend(() => {
          if (running === null || !process.isAlive) return Effect.succeed("no_turn" as const)
          return Effect.as(update(running, chunk(`(${text}) `)), "steered" as const)
        }),
      interrupt: Effect.suspend(() => {
        const turn = running
        if (turn === null || !process.isAlive) return Effect.void
        world.note(`process ${process.pid} is interrupted in turn ${turn}`)
        if (!behaviour.isGood && dice.chance(0.3)) return Effect.void
        interrupts++
        return Effect.andThen(Effect.sleep(dice.between(0, 500)), end(turn, "cancelled", null))
      }),
      askToExit: Effect.sync(() => {
        if (!process.isStubborn && (behaviour.isGood || dice.chance(0.7))) world.end(process, null)
      })
    }
    world.note(`process ${process.pid} of ${world.name(request.session)} is ready with ${thread}`)
    return connection
  })

  return { name: "simulated", protocol: "acp", capabilities, spare: () => spare, open }
}

const chunk = (text: string): SessionUpdate => ({
  sessionUpdate: "agent_message_chunk",
  messageId: "m1",
  content: { type: "text", text }
})
