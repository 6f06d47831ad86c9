/** Starts the turns of a codex thread: prompts and compactions, one at a time. */
import { Deferred, Effect, Exit } from "effect"
import { objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { Prompt } from "../../domain/Turn.ts"
import type { AgentFailed } from "../Agent.ts"
import * as Deadline from "../deadline.ts"
import type * as JsonRpc from "../JsonRpc.ts"
import { promptFailed } from "./failures.ts"
import { userInput } from "./input.ts"
import * as Overload from "./overload.ts"
import type { Patience } from "./patience.ts"
import type { Translator } from "./Translator.ts"
import type { TurnChoices } from "./TurnChoices.ts"
import type { ActiveTurn, TurnDelivery } from "./TurnDelivery.ts"
import { RpcSilent } from "../RpcError.ts"
import type { RpcError } from "../RpcError.ts"

/** `turn/start` was answered in 5 ms in every trace; a process that takes this long is gone or stuck. */
const acceptWithinMillis = 30_000

export interface PromptsOptions {
  readonly peer: JsonRpc.Peer
  readonly thread: string
  /** Sent with each turn, because a thread keeps what the last turn said. */
  readonly turnSettings: JsonObject
  readonly turnChoices: TurnChoices
  readonly translator: Translator
  readonly delivery: TurnDelivery
  readonly patience: Patience
}

export const make = (options: PromptsOptions) => {
  const { delivery, patience, peer, thread, translator, turnChoices, turnSettings } = options
  /** Gives `null` when codex has named the turn, or the refusal of a codex that was too busy and took nothing. */
  const handOver = Effect.fnUntraced(function* (
    started: ActiveTurn,
    method: string,
    params: JsonObject,
    trace: JsonObject
  ) {
    const overloaded = Deferred.makeUnsafe<RpcError | RpcSilent>()
    yield* peer
      .post(
        method,
        params,
        (reply) => {
          // `turn/started` has named it already and it has ended, or its caller gave it up: the reply adds nothing.
          if (delivery.active() !== started) return Effect.void
          if (reply.ok) {
            const id = textIn(objectIn(objectIn(reply.result)["turn"])["id"])
            if (id === null) return Effect.void
            const facts = translator.accepted(id)
            return Effect.andThen(delivery.deliver(facts), Deferred.succeed(started.identified, undefined))
          }
          if (translator.running()?.agentTurnId != null) return Effect.void
          if (Overload.isOverloaded(reply.error)) return Effect.asVoid(Deferred.succeed(overloaded, reply.error))
          delivery.abandon(started, promptFailed(reply.error))
          return Effect.void
        },
        trace
      )
      .pipe(
        Effect.mapError((error) => {
          delivery.abandon(started, promptFailed(error))
          return promptFailed(error)
        })
      )
    return yield* Effect.raceFirst(
      Effect.as(Deferred.await(started.identified), null),
      Deferred.await(overloaded)
    ).pipe(
      Deadline.timeoutOrElse({
        millis: acceptWithinMillis,
        orElse: () => Effect.fail(promptFailed(new RpcSilent({ method, reason: "timeout" })))
      })
    )
  })

  /** Ends a turn that was interrupted before codex had it. */
  const cancel = Effect.fnUntraced(function* (started: ActiveTurn, turn: number) {
    translator.dropPrompt()
    Deferred.doneUnsafe(started.identified, Exit.void)
    yield* delivery.deliver([{ _tag: "TurnEnded", turn, stopReason: "cancelled", usage: null, failure: null }])
  })

  /** Succeeds when codex has given the turn an id: for a compaction this comes with `turn/started` only. */
  const startTurn = Effect.fnUntraced(function* (
    turn: number,
    method: "turn/start" | "thread/compact/start",
    prepare: Effect.Effect<JsonObject, AgentFailed>,
    trace: JsonObject = {}
  ): Effect.fn.Return<void, AgentFailed> {
    if (delivery.active() !== null) {
      return yield* Effect.die(new Error(`Turn ${turn} was prompted while another one runs.`))
    }
    const started = delivery.begin(turn)
    const prepared = yield* Effect.result(prepare)
    if (prepared._tag === "Failure") {
      delivery.abandon(started, prepared.failure)
      return yield* prepared.failure
    }
    if (delivery.active() !== started) return yield* Deferred.await(started.identified)
    if (started.interrupting) return yield* cancel(started, turn)
    const input = prepared.success
    for (let retries = 0; ; retries += 1) {
      const refusal = yield* handOver(started, method, { threadId: thread, ...input }, trace)
      if (refusal === null) return
      if (!Overload.mayRetry(refusal, retries)) {
        delivery.abandon(started, promptFailed(refusal))
        return yield* promptFailed(refusal)
      }
      yield* delivery.deliver([translator.overloaded(method, refusal.message)])
      const wait = Overload.waitBefore(retries, patience.overloadedMillis)
      yield* Effect.raceFirst(wait, Effect.raceFirst(Deferred.await(started.interrupted), Deferred.await(started.over)))
      // The process went away meanwhile.
      if (delivery.active() !== started) return yield* Deferred.await(started.identified)
      if (started.interrupting) return yield* cancel(started, turn)
    }
  })

  return {
    prompt: (turn: number, { blocks, settings, traceparent }: Prompt) => {
      const prepare = Effect.gen(function* () {
        const input = yield* userInput(blocks)
        return { ...turnSettings, ...(yield* turnChoices.parametersOf(settings)), input }
      })
      // Of the request itself: app-server continues it for what it does for the turn.
      return startTurn(turn, "turn/start", prepare, traceparent === undefined ? {} : { trace: { traceparent } })
    },
    /** A turn of its own: requested during a turn, a compaction interrupts that turn (0.169). */
    compact: (turn: number) => startTurn(turn, "thread/compact/start", Effect.succeed({}))
  }
}
