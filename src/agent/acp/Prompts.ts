/**
 * The prompts of one ACP connection, one at a time: each that is written has exactly one end.
 *
 * An agent may have lost the process behind a session that it still knows. Its refusal then comes before anybody has
 * read the prompt, so the session is resumed and the prompt written once more.
 */
import { Deferred, Effect, Semaphore } from "effect"
import type { Scope } from "effect"
import { isDone } from "../../domain/done.ts"
import { textPrompt } from "../../domain/Turn.ts"
import type { Prompt } from "../../domain/Turn.ts"
import { AgentFailed } from "../Agent.ts"
import type { OpenRequest } from "../Agent.ts"
import type { RpcError, RpcSilent } from "../RpcError.ts"
import type { Connected } from "./connect.ts"
import { contentBlocks } from "./contentBlocks.ts"
import type { Wishes } from "./Controls.ts"
import * as Failures from "./failures.ts"
import * as HeldEnd from "./HeldEnd.ts"
import * as OpenSession from "./openSession.ts"
import * as Request from "./request.ts"
import type { PromptReply } from "./RunningTurn.ts"

/** A prompt as it is written. */
interface Handed {
  readonly content: ReadonlyArray<object>
  readonly settings: Prompt["settings"]
  /** ACP reserves the name in `_meta` for W3C Trace Context. */
  readonly meta: { readonly traceparent: string } | null
}

export class Prompts {
  /** Where ends wait while an interrupt is at work. */
  readonly heldEnd: HeldEnd.HeldEnd
  /** Keeps a prompt that is being written and an interrupt apart. */
  readonly exclusive = Semaphore.makeUnsafe(1)
  readonly #connected: Connected
  readonly #request: OpenRequest
  readonly #scope: Scope.Scope
  /** For an agent without a place for instructions: it gets them in front of the thread's first prompt. */
  #preface: string | null
  #ended = Deferred.makeUnsafe<void>()

  constructor(connected: Connected, request: OpenRequest, scope: Scope.Scope) {
    const { announced, opened, tracker } = connected
    const settling = announced.repliesLast ? null : { textsReceived: () => tracker.textsReceived(), scope }
    const isNewThread = request.thread !== opened.thread
    this.heldEnd = HeldEnd.make(request.emit, settling)
    this.#connected = connected
    this.#request = request
    this.#scope = scope
    this.#preface = isNewThread && !announced.systemPrompt ? request.systemPrompt : null
  }

  prompt(turn: number, prompt: Prompt): Effect.Effect<void, AgentFailed> {
    const { child, tracker } = this.#connected
    return Prompts.#begin(this, turn, prompt).pipe(
      Effect.tapError(() => Effect.sync(() => tracker.abandon())),
      Effect.catchTags({
        RpcSilent: (silent) => Request.failSilent(child, tracker.identity, silent),
        RpcError: (error) => new AgentFailed(Failures.ofError(tracker.identity, "to set what the turn wants", error))
      }),
      this.exclusive.withPermit
    )
  }

  static readonly #begin = Effect.fnUntraced(function* (self: Prompts, turn: number, prompt: Prompt) {
    const { blocks, settings, traceparent } = prompt
    const { announced, tracker } = self.#connected
    tracker.begin(turn)
    self.#ended = Deferred.makeUnsafe()
    const content = yield* contentBlocks(blocks, announced, tracker.identity)
    yield* self.#set(settings)
    yield* self.#post({ content, settings, meta: traceparent === undefined ? null : { traceparent } }, false)
  })

  /** Claude and codex-acp compact for this prompt, and report it as a tool call. */
  compact(turn: number): Effect.Effect<void, AgentFailed> {
    return this.prompt(turn, textPrompt("/compact"))
  }

  /** Awaits the end of the turn that was prompted last. */
  get ended(): Effect.Effect<void> {
    return Effect.suspend(() => Deferred.await(this.#ended))
  }

  /** As soon as it is called, as far as nothing of it has to be waited for. */
  static readonly #finish = Effect.fnUntracedEager(function* (prompts: Prompts, reply: PromptReply, wire?: string) {
    const { openRequests, prose, tracker } = prompts.#connected
    const fact = tracker.end(reply)
    if (fact === null) return
    if (reply.ok) prompts.#preface = null
    if (openRequests.areOpen()) yield* openRequests.withdrawAll
    for (const said of prose.end(fact.failure !== null)) yield* prompts.#request.emit(said)
    const over = prompts.#ended
    const emitted = prompts.heldEnd.emit(wire === undefined ? fact : { ...fact, wire })
    if (isDone(emitted)) Deferred.doneUnsafe(over, Effect.void)
    else
      yield* Effect.ensuring(
        emitted,
        Effect.sync(() => Deferred.doneUnsafe(over, Effect.void))
      )
  })

  #wishesOf(settings: Prompt["settings"]): Wishes {
    const { effort, mode, model } = this.#request
    return {
      model: settings.model ?? model,
      mode: settings.mode ?? mode,
      effort: settings.effort ?? effort
    }
  }

  /** Sets what this turn wants. A session whose own process is gone is resumed for it. */
  #set(settings: Prompt["settings"]) {
    const { announced, opened, opening } = this.#connected
    const custom = announced.isClaude ? this.#request.model : null
    const apply = () => opening.controls.apply(opened.thread, this.#wishesOf(settings), custom)
    const applied = apply()
    if (isDone(applied)) return applied
    return Effect.catchIf(
      applied,
      (error) => error._tag === "RpcError" && error.code === Failures.notFound,
      () => Effect.flatMap(OpenSession.resume(opening, opened.thread), apply)
    )
  }

  #post(handed: Handed, isSecondTry: boolean): Effect.Effect<void, RpcSilent> {
    const { opened, peer, toWireLine, tracker } = this.#connected
    const preface = this.#preface === null ? [] : [{ type: "text", text: this.#preface }]
    const prompt = [...preface, ...handed.content]
    const params = { sessionId: opened.thread, prompt, ...(handed.meta === null ? {} : { _meta: handed.meta }) }
    return peer.post("session/prompt", params, (reply, raw) => {
      if (reply.ok) return Prompts.#finish(this, reply, toWireLine(raw))
      // The process is gone; `Exited` is the end of this turn.
      if (reply.error._tag === "RpcSilent") return Effect.void
      const { error } = reply
      if (error.code === Failures.notFound && !isSecondTry && tracker.nothingReceived()) {
        return Effect.asVoid(Effect.forkIn(this.#retry(handed, error), this.#scope))
      }
      return Prompts.#finish(this, { ok: false, error }, toWireLine(raw))
    })
  }

  /** For a session whose own process is gone while the adapter lives (Claude's died between turns). */
  #retry(handed: Handed, error: RpcError) {
    const { opened, opening, tracker } = this.#connected
    return OpenSession.resume(opening, opened.thread).pipe(
      Effect.andThen(this.#set(handed.settings)),
      Effect.andThen(
        Effect.suspend(() =>
          tracker.cancelling()
            ? Prompts.#finish(this, { ok: true, result: { stopReason: "cancelled" } })
            : this.#post(handed, true)
        )
      ),
      Effect.catch((failure) =>
        failure._tag === "RpcSilent" && failure.reason === "closed"
          ? Effect.void
          : Prompts.#finish(this, { ok: false, error })
      )
    )
  }
}

export const make = (connected: Connected, request: OpenRequest) =>
  Effect.map(Effect.scope, (scope) => new Prompts(connected, request, scope))
