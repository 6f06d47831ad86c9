/**
 * How a turn of an ACP connection is stopped: a cancel, a second one where the first was missed, and then the end of the
 * commands that the agent left running.
 *
 * The end of an interrupted turn is emitted after its commands have ended.
 */
import { Effect, Option } from "effect"
import type { OpenRequest } from "../Agent.ts"
import type { Processes } from "../Processes.ts"
import * as Commands from "./commands.ts"
import type { Connected } from "./connect.ts"
import * as OpenSession from "./openSession.ts"
import type { Prompts } from "./Prompts.ts"

/** A cancel is answered in 25 ms where nothing is wrong. After the second the supervisor goes on to stronger means. */
const cancelWithinMillis = 2_000

export const closeWithinMillis = 1_000

/** As `AgentConnection.interrupt` guarantees. */
const interruptWithinMillis = 5_000

export class Interrupts {
  readonly #processes: Processes["Service"]
  readonly #connected: Connected
  readonly #prompts: Prompts
  readonly #request: OpenRequest

  constructor(processes: Processes["Service"], connected: Connected, prompts: Prompts, request: OpenRequest) {
    this.#processes = processes
    this.#connected = connected
    this.#prompts = prompts
    this.#request = request
  }

  get cancel(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { opened, openRequests, peer, tracker } = this.#connected
      tracker.noteCancel()
      return Effect.andThen(peer.notify("session/cancel", { sessionId: opened.thread }), openRequests.withdrawAll)
    })
  }

  get interrupt(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.#stop().pipe(
        (stops) => this.#prompts.heldEnd.holdDuring(stops),
        this.#prompts.exclusive.withPermit,
        Effect.timeoutOption(interruptWithinMillis),
        Effect.asVoid
      )
    )
  }

  #stop(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const { announced, tracker } = this.#connected
      const turn = tracker.running()
      if (turn === null) return
      const hadCommands = tracker.leftRunning(turn).length > 0
      const endedInTime = Effect.map(Effect.timeoutOption(this.#prompts.ended, cancelWithinMillis), Option.isSome)
      yield* this.cancel
      // An agent that was about to begin the turn may have missed the first cancel.
      const stopped = (yield* endedInTime) || (yield* Effect.andThen(this.cancel, endedInTime))
      if (!stopped) return
      // Claude ends its commands itself; those that it has in the background are meant to continue.
      if (!announced.isClaude) yield* this.#endCommands(turn)
      if (hadCommands) yield* Commands.untilGone(this.#processes, this.#request.lease)
    })
  }

  /** codex-acp ends the turn and lets its commands run on. Closing the session ends them; then it is resumed. */
  #endCommands(turn: number): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const { announced, opened, opening, send, tracker } = this.#connected
      const { thread } = opened
      const openCalls = tracker.leftRunning(turn)
      if (openCalls.length === 0 && !(yield* Commands.anyLeft(this.#processes, this.#request.lease))) return
      if (!announced.close || !announced.resume) return
      yield* send("session/close", { sessionId: thread }, closeWithinMillis)
      // A closed session sends nothing about its commands any more, so their ends are reported here.
      for (const toolCallId of openCalls) {
        const update = { sessionUpdate: "tool_call_update", toolCallId, status: "failed" }
        const fact = tracker.receive({ sessionId: thread, update })
        if (fact !== null) yield* this.#request.emit(fact)
      }
      yield* OpenSession.resume(opening, thread)
      // Where this fails the agent does not know the session any more, and the next prompt resumes it.
    }).pipe(Effect.ignore)
  }
}
