/** Requests of ours and their answers, or why there was none. */
import { Deferred, Effect, Option } from "effect"
import { AgentFailed } from "../Agent.ts"
import { RpcSilent } from "../JsonRpc.ts"
import type { Peer, RpcError } from "../JsonRpc.ts"
import type { Child } from "../Processes.ts"
import type { AgentIdentity } from "./failures.ts"

/** `arrived` runs in wire order: an update right behind the answer already finds what the answer changed. */
export type SendRequest = (
  method: string,
  params: unknown,
  timeoutMillis: number,
  onResult?: (result: unknown) => void
) => Effect.Effect<unknown, RpcError | RpcSilent>

/** Answers that open a conversation. */
const opens: ReadonlySet<string> = new Set(["session/new", "session/resume", "session/load"])

/** `noted`: the line of an answer that opens a conversation, or refuses something. */
export const make =
  (peer: Peer, noted: (line: string) => void): SendRequest =>
  (method, params, timeoutMillis, onResult = () => {}) =>
    Effect.gen(function* () {
      const answer = yield* Deferred.make<unknown, RpcError | RpcSilent>()
      yield* peer.post(method, params, (reply, raw) => {
        if (reply.ok) onResult(reply.result)
        if (reply.ok ? opens.has(method) : reply.error._tag === "RpcError") noted(raw)
        return reply.ok ? Deferred.succeed(answer, reply.result) : Deferred.fail(answer, reply.error)
      })
      return yield* Deferred.await(answer)
    }).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMillis,
        orElse: () => Effect.fail(new RpcSilent({ method, reason: "timeout" }))
      })
    )

/** Why there was no answer. Waits a moment for the exit of a process that is going, since its stderr says why. */
export const failureOfSilence = Effect.fnUntraced(function* (
  child: Child,
  who: AgentIdentity,
  { method, reason }: RpcSilent
) {
  if (reason === "timeout") {
    const stderr = yield* child.stderr
    return new AgentFailed({
      class: "timeout",
      message: `${who.name} did not answer ${method} in time. Look at its stderr, or start it by hand to see what it waits for.`,
      ...(stderr === "" ? {} : { stderr })
    })
  }
  const exit = Option.getOrNull(yield* Effect.timeoutOption(child.exit, "2 seconds"))
  const stderr = yield* child.stderr
  const how =
    exit === null
      ? "closed its output"
      : exit.signal === null
        ? `ended with exit code ${exit.code}`
        : `was killed by ${exit.signal}`
  return new AgentFailed({
    class: "crash",
    message: `${who.name} ${how} before it answered ${method}. Start it by hand to see why, if its stderr does not say.`,
    ...(stderr === "" ? {} : { stderr })
  })
})
