/**
 * Adds a person's words to a running turn, by `turn/steer`, which names its turn, so that a late request never reaches
 * the next turn. Codex aborts the answer that it streams and continues in the same turn; it waits for a running command.
 */
import { Deferred, Effect } from "effect"
import { steeringMessage } from "../../domain/Acp.ts"
import { cut } from "../../domain/cut.ts"
import { objectIn } from "../../domain/json.ts"
import { AgentFailed } from "../Agent.ts"
import type { AgentFact, Steered } from "../Agent.ts"
import * as Deadline from "../deadline.ts"
import { RpcSilent } from "../RpcError.ts"
import type { RpcError } from "../RpcError.ts"
import type { Peer } from "../JsonRpc.ts"
import { redact } from "../redact.ts"
import * as Overload from "./overload.ts"
import type { Patience } from "./patience.ts"
import type { Translator } from "./Translator.ts"
import type { TurnDelivery } from "./TurnDelivery.ts"

/** `turn/steer` was answered in 1 ms in every trace. */
const steerWithinMillis = 5_000

/** Between a turn's acceptance and its start, 30 ms in every trace, the answer is "no active turn to steer". */
const startWithinMillis = 5_000

export interface SteeringOptions {
  readonly peer: Peer
  readonly thread: string
  readonly patience: Patience
  readonly running: Translator["running"]
  readonly activeTurn: TurnDelivery["active"]
  readonly emit: (fact: AgentFact) => Effect.Effect<void>
}

export const make = ({ activeTurn, emit, patience, peer, running, thread }: SteeringOptions) =>
  Effect.fnUntraced(function* (text: string) {
    const turn = activeTurn()
    if (turn === null) return "no_turn" satisfies Steered
    yield* Effect.raceFirst(Deferred.await(turn.started), Deferred.await(turn.over)).pipe(
      Effect.timeoutOption(startWithinMillis)
    )
    const target = running()
    if (target === null || target.agentTurnId === null || !target.started) return "no_turn" satisfies Steered
    const params = { threadId: thread, input: [{ type: "text", text }], expectedTurnId: target.agentTurnId }
    const once = Effect.gen(function* () {
      const answer = yield* Deferred.make<Steered, RpcError | RpcSilent>()
      yield* peer.post("turn/steer", params, (reply) => {
        if (!reply.ok) return Deferred.fail(answer, reply.error)
        const emitted = emit({ _tag: "Update", turn: target.turn, message: steeringMessage(thread, text) })
        return Effect.andThen(emitted, Deferred.succeed(answer, "steered"))
      })
      return yield* Deferred.await(answer)
    })
    return yield* Overload.retrying(once, { baseMillis: patience.overloadedMillis, report: () => Effect.void })
  }, withinDeadline)

function withinDeadline(steering: Effect.Effect<Steered, RpcError | RpcSilent>): Effect.Effect<Steered, AgentFailed> {
  return steering.pipe(
    Deadline.timeoutOrElse({
      millis: startWithinMillis + steerWithinMillis,
      orElse: () => Effect.fail(new RpcSilent({ method: "turn/steer", reason: "timeout" }))
    }),
    Effect.catchTags({
      RpcError: (error) =>
        cameTooLate(error) ? Effect.succeed("no_turn" as const) : Effect.fail(steeringFailed(error)),
      RpcSilent: ({ reason }) =>
        Effect.fail(
          reason === "timeout"
            ? new AgentFailed({ class: "timeout", message: "Codex did not say whether it took the words in time." })
            : new AgentFailed({
                class: "crash",
                message: "Codex went away before it took the words. Send the turn again."
              })
        )
    })
  )
}

/** All have the code -32600, and only the message tells which is which (0.169). */
const cameTooLate = ({ message }: RpcError) => /no active turn to steer|expected active turn id/.test(message)

const steeringFailed = (error: RpcError) =>
  objectIn(objectIn(error.data)["codexErrorInfo"])["activeTurnNotSteerable"] === undefined
    ? new AgentFailed({
        class: "protocol",
        message: `Codex refused the words: ${cut(redact(error.message), 1_000)}`
      })
    : new AgentFailed({
        class: "config",
        message:
          "Codex takes no words while it compacts its context or reviews. Wait for the turn's end, or interrupt it."
      })
