/**
 * The prompts of one acpx session: each is a command of its own, and has exactly one end.
 *
 * A prompt that was refused before anybody read it, because the agent lost its session, is handed over once more.
 */
import { Deferred, Effect, Scope, Semaphore } from "effect"
import type { Failure } from "../../domain/Turn.ts"
import type { AgentIdentity } from "../acp/failures.ts"
import * as HeldEnd from "../acp/HeldEnd.ts"
import type { PromptReply, TurnTracker } from "../acp/TurnTracker.ts"
import type { AgentConnection, AgentFailed, OpenRequest } from "../Agent.ts"
import type { Processes } from "../Processes.ts"
import * as Command from "./command.ts"
import type { AcpxConfig } from "./command.ts"
import * as AcpxFailures from "./failures.ts"
import { readPrompt } from "./readPrompt.ts"

export interface Prompts {
  readonly prompt: AgentConnection["prompt"]
  /** Awaits the end of the turn that was prompted last. */
  readonly ended: Effect.Effect<void>
  /** Where ends wait while an interrupt is at work. */
  readonly heldEnd: HeldEnd.HeldEnd
  /** Held while a prompt's command runs, so that what it prints late belongs to its own turn. */
  readonly exclusive: Semaphore.Semaphore
}

export const make = Effect.fnUntraced(function* (connection: {
  readonly processes: Processes["Service"]
  readonly config: AcpxConfig
  readonly request: OpenRequest
  readonly tracker: TurnTracker
  readonly thread: string
  readonly identity: AgentIdentity
  /** Ends acpx's owner process, and the agent with it. */
  readonly endOwner: Effect.Effect<void>
  readonly toWireLine: (raw: string) => string
}) {
  const { config, endOwner, identity, processes, request, thread, toWireLine, tracker } = connection
  const { emit, session } = request
  const scope = yield* Scope.Scope
  const exclusive = yield* Semaphore.make(1)
  const heldEnd = HeldEnd.make(emit)
  let ended = Deferred.makeUnsafe<void>()
  let isFirst = request.thread !== thread
  const preface = Command.takesSystemPrompt(config) ? null : request.systemPrompt

  const finish = (reply: PromptReply, wire?: string) => {
    const fact = tracker.end(reply)
    if (fact === null) return Effect.void
    if (reply.ok) isFirst = false
    return Effect.ensuring(
      heldEnd.emit(wire === undefined ? fact : { ...fact, wire }),
      Effect.sync(() => Deferred.doneUnsafe(ended, Effect.void))
    )
  }

  const fail = (failure: Failure, wire?: string) => {
    const turn = tracker.running()
    if (turn === null) return Effect.void
    // The failure of a command that is being stopped is the cancel's effect.
    if (tracker.cancelling()) return finish({ ok: true, result: { stopReason: "cancelled", usage: null } }, wire)
    tracker.abandon()
    const fact = { _tag: "TurnEnded", turn, stopReason: "error", usage: null, failure } as const
    return Effect.ensuring(
      emit(wire === undefined ? fact : { ...fact, wire }),
      Effect.sync(() => Deferred.doneUnsafe(ended, Effect.void))
    )
  }

  /** acpx found in the middle of our turn that the agent no longer had the conversation, and began another. */
  const emitLoss = Effect.suspend(() => {
    const turn = tracker.running()
    const title = `${identity.name} no longer had this conversation; acpx began a new one, without what was said before.`
    const params = { sessionId: thread, update: { sessionUpdate: "notice", severity: "warning", title } }
    return emit({ _tag: "Update", turn, message: { jsonrpc: "2.0", method: "session/update", params } })
  })

  const run = Effect.fnUntraced(function* (text: string, handed: Deferred.Deferred<void, AgentFailed>) {
    const prompt = isFirst && preface !== null ? `${preface}\n\n${text}` : text
    const once = Effect.scoped(
      Effect.gen(function* () {
        const child = yield* Command.spawn(processes, config, request, ["prompt", "-s", session, "-f", "-"], prompt)
        yield* Deferred.succeed(handed, undefined)
        return yield* readPrompt(child, {
          tracker,
          identity,
          emit,
          toWireLine,
          onNewSession: Effect.suspend(() => (isFirst ? Effect.void : emitLoss)),
          onReply: finish,
          onFailure: fail
        })
      })
    )
    if (!(yield* once)) return
    // The prompt was refused unread, so handing it to a fresh owner can't run it twice.
    yield* endOwner
    if (yield* once) {
      yield* fail(
        AcpxFailures.ofAcpxError(identity, {
          acpxCode: "NO_SESSION",
          detailCode: null,
          message: "it forgot the session."
        })
      )
    }
  })

  const prompt: Prompts["prompt"] = (turn, { text }) =>
    Effect.gen(function* () {
      const handed = yield* Deferred.make<void, AgentFailed>()
      const running = Effect.suspend(() => {
        tracker.begin(turn)
        ended = Deferred.makeUnsafe()
        return run(text, handed)
      }).pipe(
        exclusive.withPermit,
        // A command that did not start, or was not written to, has handed nothing over.
        Effect.catch((failure) =>
          Effect.gen(function* () {
            if (yield* Deferred.fail(handed, failure)) tracker.abandon()
            else yield* fail(failure)
          })
        )
      )
      yield* Effect.forkIn(running, scope)
      yield* Deferred.await(handed)
    })

  return { prompt, ended: Effect.suspend(() => Deferred.await(ended)), heldEnd, exclusive } satisfies Prompts
})
