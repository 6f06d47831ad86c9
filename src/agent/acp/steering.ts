/**
 * Adds a person's words to a running turn, where the agent announces that it takes them: by `_session/steering`, an
 * extension of claude-agent-acp 0.100 and codex-acp 2.6. The running prompt has one end, after the steering.
 *
 * Always sent with `idleBehavior: "promptRequired"`: without it an idle agent begins a turn that belongs to no prompt.
 */
import { Deferred, Effect } from "effect"
import { steeringMessage } from "../../domain/Acp.ts"
import { at } from "../../domain/json.ts"
import { AgentFailed } from "../Agent.ts"
import type { AgentFact, Steered } from "../Agent.ts"
import type { Child } from "../Child.ts"
import * as Deadline from "../deadline.ts"
import { RpcSilent } from "../RpcError.ts"
import type { RpcError } from "../RpcError.ts"
import type { Peer } from "../JsonRpc.ts"
import * as Failures from "./failures.ts"
import * as Request from "./request.ts"
import { line } from "./sentence.ts"
import type { TurnTracker } from "./TurnTracker.ts"

/** Both adapters answer within 10 ms, within a text and within a tool call. */
const steerWithinMillis = 10_000

export interface SteeringOptions {
  readonly child: Child
  readonly tracker: TurnTracker
  readonly peer: Peer
  readonly emit: (fact: AgentFact) => Effect.Effect<void>
  readonly thread: string
}

export const make =
  ({ child, emit, peer, thread, tracker }: SteeringOptions) =>
  (text: string): Effect.Effect<Steered, AgentFailed> =>
    Effect.gen(function* () {
      const turn = tracker.running()
      if (turn === null || tracker.cancelling()) return "no_turn" as const
      const answer = yield* Deferred.make<unknown, RpcError | RpcSilent>()
      const params = {
        sessionId: thread,
        prompt: [{ type: "text", text }],
        _meta: { steering: { idleBehavior: "promptRequired" } }
      }
      yield* peer.post("_session/steering", params, (reply) => {
        if (!reply.ok) return Deferred.fail(answer, reply.error)
        const outcome = at(reply.result, "outcome")
        const emitted =
          outcome === "injected" ? emit({ _tag: "Update", turn, message: steeringMessage(thread, text) }) : Effect.void
        return Effect.andThen(emitted, Deferred.succeed(answer, outcome))
      })
      const outcome = yield* Deferred.await(answer)
      if (outcome === "injected") return "steered" as const
      if (outcome === "promptRequired") return "no_turn" as const
      const problem = `it answered _session/steering with ${line(JSON.stringify(outcome) ?? "nothing", 80)}.`
      return yield* new AgentFailed(Failures.malformed(tracker.identity, problem))
    }).pipe(
      Deadline.timeoutOrElse({
        millis: steerWithinMillis,
        orElse: () => Effect.fail(new RpcSilent({ method: "_session/steering", reason: "timeout" }))
      }),
      Effect.catchTags({
        RpcError: (error) => new AgentFailed(Failures.ofError(tracker.identity, "to take the words", error)),
        RpcSilent: (silent) => Request.failSilent(child, tracker.identity, silent)
      })
    )
