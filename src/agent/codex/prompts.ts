/** Starts the turns of a codex thread: prompts and compactions, one at a time. */
import { Deferred, Effect } from "effect"
import { objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type * as JsonRpc from "../JsonRpc.ts"
import { promptFailed } from "./failures.ts"
import type { Translator } from "./Translator.ts"
import type { TurnDelivery } from "./TurnDelivery.ts"
import { RpcSilent } from "../RpcError.ts"

/** `turn/start` was answered in 5 ms in every trace; a process that takes this long is gone or stuck. */
const acceptWithinMillis = 30_000

export const make = (peer: JsonRpc.Peer, thread: string, translator: Translator, delivery: TurnDelivery) => {
  /** Succeeds when codex has given the turn an id: for a compaction this comes with `turn/started` only. */
  const startTurn = Effect.fnUntraced(function* (
    turn: number,
    method: "turn/start" | "thread/compact/start",
    input: JsonObject
  ) {
    if (delivery.active() !== null) {
      return yield* Effect.die(new Error(`Turn ${turn} was prompted while another one runs.`))
    }
    const started = delivery.begin(turn)
    yield* peer
      .post(method, { threadId: thread, ...input }, (reply) => {
        // `turn/started` has named it already and it has ended, or its caller gave it up: the reply adds nothing.
        if (delivery.active() !== started) return Effect.void
        if (reply.ok) {
          const id = textIn(objectIn(objectIn(reply.result)["turn"])["id"])
          if (id === null) return Effect.void
          const facts = translator.accepted(id)
          return Effect.andThen(delivery.deliver(facts), Deferred.succeed(started.identified, undefined))
        }
        if (translator.running()?.agentTurnId != null) return Effect.void
        delivery.abandon(started, promptFailed(reply.error))
        return Effect.void
      })
      .pipe(
        Effect.mapError((error) => {
          delivery.abandon(started, promptFailed(error))
          return promptFailed(error)
        })
      )
    yield* Deferred.await(started.identified).pipe(
      Effect.timeoutOrElse({
        duration: acceptWithinMillis,
        orElse: () => Effect.fail(promptFailed(new RpcSilent({ method, reason: "timeout" })))
      })
    )
  })

  return {
    prompt: (turn: number, text: string) => startTurn(turn, "turn/start", { input: [{ type: "text", text }] }),
    /** A turn of its own: requested during a turn, a compaction interrupts that turn (0.169). */
    compact: (turn: number) => startTurn(turn, "thread/compact/start", {})
  }
}
