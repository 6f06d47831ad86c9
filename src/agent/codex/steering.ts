/**
 * Words for a turn that runs: `turn/steer`, which names the turn that it is for, so that a late one never reaches the
 * next. Codex aborts the answer that streams, and goes on in the same turn; a running command is waited for.
 */
import { Deferred, Effect } from "effect"
import { steeringMessage } from "../../domain/Acp.ts"
import { AgentFailed } from "../Agent.ts"
import type { AgentFact, Steered } from "../Agent.ts"
import { RpcSilent } from "../JsonRpc.ts"
import type { Peer, RpcError } from "../JsonRpc.ts"
import { redact } from "../redact.ts"
import { objectIn } from "../../domain/json.ts"
import type { Translator } from "./Translator.ts"

/** Answered in 1 ms wherever it was. */
const steerWithinMillis = 5_000

/** Between a turn's acceptance and its start there is "no active turn to steer"; 30 ms wherever it was. */
const startWithinMillis = 5_000

export interface SteeringOptions {
  readonly peer: Peer
  readonly thread: string
  readonly running: Translator["running"]
  /** The turn under way, as far as whoever waits for it sees. */
  readonly current: () => { readonly started: Deferred.Deferred<void>; readonly over: Deferred.Deferred<void> } | null
  readonly emit: (fact: AgentFact) => Effect.Effect<void>
}

export const make = ({ current, peer, running, emit, thread }: SteeringOptions) =>
  Effect.fnUntraced(function* (text: string) {
    const turn = current()
    if (turn === null) return "no_turn" satisfies Steered
    yield* Effect.raceFirst(Deferred.await(turn.started), Deferred.await(turn.over)).pipe(
      Effect.timeoutOption(startWithinMillis)
    )
    const target = running()
    if (target === null || target.agentTurnId === null || !target.started) return "no_turn" satisfies Steered
    const answer = yield* Deferred.make<Steered, RpcError | RpcSilent>()
    const params = { threadId: thread, input: [{ type: "text", text }], expectedTurnId: target.agentTurnId }
    yield* peer.post("turn/steer", params, (reply) => {
      if (!reply.ok) return Deferred.fail(answer, reply.error)
      const told = emit({ _tag: "Update", turn: target.turn, message: steeringMessage(thread, text) })
      return Effect.andThen(told, Deferred.succeed(answer, "steered"))
    })
    return yield* Deferred.await(answer)
  }, withinDeadline)

function withinDeadline(steering: Effect.Effect<Steered, RpcError | RpcSilent>): Effect.Effect<Steered, AgentFailed> {
  return steering.pipe(
    Effect.timeoutOrElse({
      duration: startWithinMillis + steerWithinMillis,
      orElse: () => Effect.fail(new RpcSilent({ method: "turn/steer", reason: "timeout" }))
    }),
    Effect.catchTags({
      RpcError: (error) => (missed(error) ? Effect.succeed("no_turn" as const) : Effect.fail(refused(error))),
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

/** -32600, and which of its wrong moments it was is in the words only (0.169). */
const missed = ({ message }: RpcError) => /no active turn to steer|expected active turn id/.test(message)

const refused = (error: RpcError) =>
  objectIn(objectIn(error.data)["codexErrorInfo"])["activeTurnNotSteerable"] === undefined
    ? new AgentFailed({
        class: "protocol",
        message: `Codex refused the words: ${redact(error.message).slice(0, 1_000)}`
      })
    : new AgentFailed({
        class: "config",
        message:
          "Codex takes no words while it compacts its context or reviews. Wait for the turn's end, or interrupt it."
      })
