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

export const make = (
  processes: Processes["Service"],
  { announced, openRequests, opened, opening, peer, send, tracker }: Connected,
  { ended, exclusive, heldEnd }: Prompts,
  { emit, lease }: OpenRequest
) => {
  const { thread } = opened

  const cancel = Effect.suspend(() => {
    tracker.noteCancel()
    return Effect.andThen(peer.notify("session/cancel", { sessionId: thread }), openRequests.withdrawAll)
  })

  const endedInTime = Effect.map(Effect.timeoutOption(ended, cancelWithinMillis), Option.isSome)

  /** codex-acp ends the turn and lets its commands run on. Closing the session ends them; then it is resumed. */
  const endCommands = (turn: number) =>
    Effect.gen(function* () {
      const openCalls = tracker.leftRunning(turn)
      if (openCalls.length === 0 && !(yield* Commands.anyLeft(processes, lease))) return
      if (!announced.close || !announced.resume) return
      yield* send("session/close", { sessionId: thread }, closeWithinMillis)
      // A closed session sends nothing about its commands any more, so their ends are reported here.
      for (const toolCallId of openCalls) {
        const update = { sessionUpdate: "tool_call_update", toolCallId, status: "failed" }
        const fact = tracker.receive({ sessionId: thread, update })
        if (fact !== null) yield* emit(fact)
      }
      yield* OpenSession.resume(opening, thread)
      // Where this fails the agent does not know the session any more, and the next prompt resumes it.
    }).pipe(Effect.ignore)

  const interrupt = Effect.gen(function* () {
    const turn = tracker.running()
    if (turn === null) return
    const hadCommands = tracker.leftRunning(turn).length > 0
    yield* cancel
    // An agent that was about to begin the turn may have missed the first cancel.
    const stopped = (yield* endedInTime) || (yield* Effect.andThen(cancel, endedInTime))
    if (!stopped) return
    // Claude ends its commands itself; those that it has in the background are meant to continue.
    if (!announced.isClaude) yield* endCommands(turn)
    if (hadCommands) yield* Commands.untilGone(processes, lease)
  }).pipe(heldEnd.holdDuring, exclusive.withPermit, Effect.timeoutOption(interruptWithinMillis), Effect.asVoid)

  return { cancel, interrupt }
}
