/**
 * Ends a turn that codex has reported as failed, by an `error` that it does not retry, and that gets no `turn/completed`.
 *
 * The end comes with the error in every trace. Where it does not come within a grace period, the turn is interrupted:
 * that ends it in codex, where the next prompt would be added to it otherwise, and the answer says whether codex still
 * runs it. The turn fails with the error in any case.
 */
import { Clock, Deferred, Effect, Fiber } from "effect"
import type { Scope } from "effect"
import { objectIn, textIn } from "../../domain/json.ts"
import type { Child } from "../Child.ts"
import type { RpcError, RpcSilent } from "../RpcError.ts"
import type { Translator } from "./Translator.ts"
import type { ActiveTurn, TurnDelivery } from "./TurnDelivery.ts"

export interface MissingEnd {
  /** It takes the notifications of this method, each after it was delivered. */
  readonly watches: (method: string) => boolean
  readonly onNotification: (method: string, params: unknown) => Effect.Effect<void>
}

const interruptWithinMillis = 2_000

/** Signs that codex goes on in a turn after all. */
const goesOn: ReadonlySet<string> = new Set(["item/started", "item/agentMessage/delta"])

export const make = (options: {
  readonly child: Child
  readonly thread: () => string
  readonly translator: Translator
  readonly delivery: TurnDelivery
  readonly endMillis: number
  readonly interrupt: (turnId: string, timeoutMillis: number) => Effect.Effect<unknown, RpcError | RpcSilent>
  readonly scope: Scope.Scope
}): MissingEnd => {
  const { child, delivery, endMillis, interrupt, scope, thread, translator } = options
  let waiting: Fiber.Fiber<void> | null = null

  const endTurn = Effect.fnUntraced(function* (turn: ActiveTurn, turnId: string, error: unknown) {
    yield* Effect.timeoutOption(Deferred.await(turn.over), endMillis)
    // A person's interrupt ends the turn by itself.
    if (Deferred.isDoneUnsafe(turn.over) || turn.interrupting) return
    // What the interrupt brings about is the end of a failed turn.
    translator.failed(turnId, error)
    const reply = yield* Effect.result(interrupt(turnId, interruptWithinMillis))
    if (reply._tag === "Success") yield* Effect.timeoutOption(Deferred.await(turn.over), interruptWithinMillis)
    if (Deferred.isDoneUnsafe(turn.over)) return
    const completedAt = Math.floor((yield* Clock.currentTimeMillis) / 1_000)
    const ended = { id: turnId, status: "failed", error, completedAt }
    yield* delivery.deliver(translator.notification("turn/completed", { threadId: thread(), turn: ended }))
    // Refused: codex has no such turn any more. Otherwise it may still be in it, and would add the next prompt to it.
    if (reply._tag === "Success" || reply.failure._tag === "RpcSilent") yield* child.end
  })

  const onNotification: MissingEnd["onNotification"] = (method, value) => {
    const { error, threadId, turnId, willRetry } = objectIn(value)
    const running = translator.running()
    const turn = delivery.active()
    const id = textIn(turnId)
    if (turn === null || id === null || threadId !== thread() || running?.agentTurnId !== id) return Effect.void
    const previous = waiting
    waiting = null
    const disarm = previous === null ? Effect.void : Fiber.interrupt(previous)
    if (method !== "error" || willRetry !== false) return disarm
    return disarm.pipe(
      Effect.andThen(endTurn(turn, id, error).pipe(Effect.forkIn(scope))),
      Effect.map((fiber) => {
        waiting = fiber
      })
    )
  }

  return { onNotification, watches: (method) => method === "error" || (waiting !== null && goesOn.has(method)) }
}
