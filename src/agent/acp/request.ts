/** Sends requests to an ACP agent, and explains why one got no reply. */
import { Deferred, Effect, Option } from "effect"
import { AgentFailed } from "../Agent.ts"
import type { Child } from "../Child.ts"
import * as Deadline from "../deadline.ts"
import { errorLine } from "../errorLine.ts"
import { missingProgram } from "../missingProgram.ts"
import { RpcSilent } from "../RpcError.ts"
import type { RpcError } from "../RpcError.ts"
import type { Peer } from "../JsonRpc.ts"
import type { AgentIdentity } from "./failures.ts"
import { line, sentence } from "./sentence.ts"

/** `onResult` runs in wire order: an update right behind the reply already sees what the result changed. */
export type SendRequest = (
  method: string,
  params: unknown,
  timeoutMillis: number,
  onResult?: (result: unknown) => void
) => Effect.Effect<unknown, RpcError | RpcSilent>

const opensSession: ReadonlySet<string> = new Set(["session/new", "session/resume", "session/load"])

/** `onNotableReply` gets the line of each reply that opens a session or refuses a request. */
export const make =
  (peer: Peer, onNotableReply: (line: string) => void): SendRequest =>
  (method, params, timeoutMillis, onResult = () => {}) =>
    Effect.gen(function* () {
      const result = yield* Deferred.make<unknown, RpcError | RpcSilent>()
      yield* peer.post(method, params, (reply, raw) => {
        if (reply.ok) onResult(reply.result)
        if (reply.ok ? opensSession.has(method) : reply.error._tag === "RpcError") onNotableReply(raw)
        return reply.ok ? Deferred.succeed(result, reply.result) : Deferred.fail(result, reply.error)
      })
      return yield* Deferred.await(result)
    }).pipe(
      Deadline.timeoutOrElse({
        millis: timeoutMillis,
        orElse: () => Effect.fail(new RpcSilent({ method, reason: "timeout" }))
      })
    )

const notReady = (name: string, method: string, startedMillis: number, stderr: string, malformed: string): string => {
  const last = line(stderr.trim().split("\n").at(-1) ?? "", 200)
  const words = last === "" ? "It wrote nothing to stderr." : `The last line of its stderr: ${sentence(last)}`
  return `${name} did not answer ${method} in time; it was started ${Math.round(startedMillis / 1_000)} s ago.${malformed} ${words} If it needs longer, such as for a download, set "startTimeout" in its configuration; else start it by hand to see what it waits for.`
}

/**
 * Fails with the reason of the silence. Waits up to 2 s for the process's exit, because its stderr says the reason.
 * `startedMillis`: how long ago an agent was started that never got ready.
 */
export const failSilent = Effect.fnUntraced(function* (
  child: Child,
  { name }: AgentIdentity,
  { method, reason }: RpcSilent,
  startedMillis: number | null = null
) {
  if (reason === "timeout") {
    const stderr = yield* child.stderr
    return yield* new AgentFailed({
      class: "timeout",
      message:
        startedMillis === null
          ? `${name} did not answer ${method} in time.${child.malformed.sentence()} Look at its stderr, or start it by hand to see what it waits for.`
          : notReady(name, method, startedMillis, stderr, child.malformed.sentence()),
      ...(stderr === "" ? {} : { stderr })
    })
  }
  const exit = Option.getOrNull(yield* Effect.timeoutOption(child.exit, "2 seconds"))
  const stderr = yield* child.stderr
  const told = { ...(stderr === "" ? {} : { stderr }), ...(exit === null ? {} : { exit }) }
  const missing = missingProgram(name, exit, stderr)
  if (missing !== null) return yield* new AgentFailed({ ...missing, ...told })
  const why = errorLine(stderr)
  const how =
    exit === null
      ? "closed its output"
      : exit.signal === null
        ? `ended with exit code ${exit.code}`
        : `was killed by ${exit.signal}`
  return yield* new AgentFailed({
    class: "crash",
    message: `${name} ${how} before it answered ${method}${why === "" ? "." : `: ${sentence(why)}`}${child.malformed.sentence()}${why === "" ? " It wrote nothing to stderr: start it by hand to see why." : ""}`,
    ...told
  })
})
