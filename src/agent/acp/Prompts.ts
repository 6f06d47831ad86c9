/**
 * The prompts of one ACP connection, one at a time: each that is written has exactly one end.
 *
 * An agent may have lost the process behind a session that it still knows. Its refusal then comes before anybody has
 * read the prompt, so the session is resumed and the prompt written once more.
 */
import { Deferred, Effect, Scope, Semaphore } from "effect"
import { isDone } from "../../domain/done.ts"
import { textPrompt } from "../../domain/Turn.ts"
import type { Prompt } from "../../domain/Turn.ts"
import { AgentFailed } from "../Agent.ts"
import type { AgentConnection, OpenRequest } from "../Agent.ts"
import type { RpcError, RpcSilent } from "../RpcError.ts"
import type { Connected } from "./connect.ts"
import { contentBlocks } from "./contentBlocks.ts"
import type { Wishes } from "./Controls.ts"
import * as Failures from "./failures.ts"
import * as HeldEnd from "./HeldEnd.ts"
import * as OpenSession from "./openSession.ts"
import * as Request from "./request.ts"
import type { PromptReply } from "./TurnTracker.ts"

/** A prompt as it is written. */
interface Handed {
  readonly content: ReadonlyArray<object>
  readonly settings: Prompt["settings"]
  /** ACP reserves the name in `_meta` for W3C Trace Context. */
  readonly meta: { readonly traceparent: string } | null
}

export interface Prompts {
  readonly prompt: AgentConnection["prompt"]
  readonly compact: NonNullable<AgentConnection["compact"]>
  /** Awaits the end of the turn that was prompted last. */
  readonly ended: Effect.Effect<void>
  /** Where ends wait while an interrupt is at work. */
  readonly heldEnd: HeldEnd.HeldEnd
  /** Keeps a prompt that is being written and an interrupt apart. */
  readonly exclusive: Semaphore.Semaphore
}

export const make = Effect.fnUntraced(function* (connected: Connected, request: OpenRequest) {
  const { announced, child, opened, opening, openRequests, peer, prose, toWireLine, tracker } = connected
  const { thread } = opened
  const scope = yield* Scope.Scope
  const exclusive = yield* Semaphore.make(1)
  const settling = announced.repliesLast ? null : { textsReceived: tracker.textsReceived, scope }
  const heldEnd = HeldEnd.make(request.emit, settling)
  let ended = Deferred.makeUnsafe<void>()

  // An agent without a place for instructions gets them in front of the thread's first prompt.
  const isNewThread = request.thread !== thread
  let preface = isNewThread && !announced.systemPrompt ? request.systemPrompt : null

  /** As soon as it is called, as far as nothing of it has to be waited for. */
  const finish = Effect.fnUntracedEager(function* (reply: PromptReply, wire?: string) {
    const fact = tracker.end(reply)
    if (fact === null) return
    if (reply.ok) preface = null
    if (openRequests.areOpen()) yield* openRequests.withdrawAll
    for (const said of prose.end(fact.failure !== null)) yield* request.emit(said)
    const over = ended
    const emitted = heldEnd.emit(wire === undefined ? fact : { ...fact, wire })
    if (isDone(emitted)) Deferred.doneUnsafe(over, Effect.void)
    else
      yield* Effect.ensuring(
        emitted,
        Effect.sync(() => Deferred.doneUnsafe(over, Effect.void))
      )
  })

  const wishesOf = (settings: Prompt["settings"]): Wishes => ({
    model: settings.model ?? request.model,
    mode: settings.mode ?? request.mode,
    effort: settings.effort ?? request.effort
  })
  const custom = announced.isClaude ? request.model : null

  /** Sets what this turn wants. A session whose own process is gone is resumed for it. */
  const set = (settings: Prompt["settings"]) => {
    const apply = () => opening.controls.apply(thread, wishesOf(settings), custom)
    const applied = apply()
    if (isDone(applied)) return applied
    return Effect.catchIf(
      applied,
      (error) => error._tag === "RpcError" && error.code === Failures.notFound,
      () => Effect.flatMap(OpenSession.resume(opening, thread), apply)
    )
  }

  const post = (handed: Handed, isSecondTry: boolean): Effect.Effect<void, RpcSilent> => {
    const prompt = [...(preface === null ? [] : [{ type: "text", text: preface }]), ...handed.content]
    const params = { sessionId: thread, prompt, ...(handed.meta === null ? {} : { _meta: handed.meta }) }
    return peer.post("session/prompt", params, (reply, raw) => {
      if (reply.ok) return finish(reply, toWireLine(raw))
      // The process is gone; `Exited` is the end of this turn.
      if (reply.error._tag === "RpcSilent") return Effect.void
      const { error } = reply
      if (error.code === Failures.notFound && !isSecondTry && tracker.nothingReceived()) {
        return Effect.asVoid(Effect.forkIn(retry(handed, error), scope))
      }
      return finish({ ok: false, error }, toWireLine(raw))
    })
  }

  /** For a session whose own process is gone while the adapter lives (Claude's died between turns). */
  const retry = (handed: Handed, error: RpcError) =>
    OpenSession.resume(opening, thread).pipe(
      Effect.andThen(set(handed.settings)),
      Effect.andThen(
        Effect.suspend(() =>
          tracker.cancelling() ? finish({ ok: true, result: { stopReason: "cancelled" } }) : post(handed, true)
        )
      ),
      Effect.catch((failure) =>
        failure._tag === "RpcSilent" && failure.reason === "closed" ? Effect.void : finish({ ok: false, error })
      )
    )

  const prompt: Prompts["prompt"] = Effect.fnUntraced(
    function* (turn, { blocks, settings, traceparent }) {
      tracker.begin(turn)
      ended = Deferred.makeUnsafe()
      const content = yield* contentBlocks(blocks, announced, tracker.identity)
      yield* set(settings)
      yield* post({ content, settings, meta: traceparent === undefined ? null : { traceparent } }, false)
    },
    Effect.tapError(() => Effect.sync(tracker.abandon)),
    Effect.catchTags({
      RpcSilent: (silent) => Request.failSilent(child, tracker.identity, silent),
      RpcError: (error) => new AgentFailed(Failures.ofError(tracker.identity, "to set what the turn wants", error))
    }),
    exclusive.withPermit
  )

  /** Claude and codex-acp compact for this prompt, and report it as a tool call. */
  const compact: Prompts["compact"] = (turn) => prompt(turn, textPrompt("/compact"))

  return { prompt, compact, ended: Effect.suspend(() => Deferred.await(ended)), heldEnd, exclusive } satisfies Prompts
})
