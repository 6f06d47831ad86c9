/** Waits for the end of a connection, and says it once, last. */
import { Effect, Option } from "effect"
import type { Failure } from "../../domain/Turn.ts"
import type { OpenRequest } from "../Agent.ts"
import type { Peer } from "../JsonRpc.ts"
import type { Child, Exit, Processes } from "../Processes.ts"

/** How long a process may go on after it has closed its output: there is nothing it could say any more. */
const mute = "5 seconds"

export const watch = Effect.fnUntraced(function* (connection: {
  readonly child: Child
  readonly peer: Peer
  readonly processes: Processes["Service"]
  readonly request: OpenRequest
  /** Ends what still waits. `failure`: why the turn, if one runs, has an end of its own; else `Exited` is its end. */
  readonly over: (failure: Failure | null) => Effect.Effect<void>
}) {
  const { child, over, peer, processes, request } = connection
  const kill = processes.signal(request.lease, "SIGKILL")
  yield* peer.ended.pipe(
    Effect.andThen(over(null)),
    // It broke the bounds of the protocol: nothing it says can be read any more.
    Effect.catch(({ class: kind, message }) => Effect.andThen(over({ class: kind, message }), kill))
  )
  const left = yield* Effect.timeoutOption(child.exit, mute)
  const exit: Exit = Option.isSome(left)
    ? left.value
    : yield* Effect.andThen(kill, Effect.timeoutOption(child.exit, mute)).pipe(
        Effect.map(Option.getOrElse(() => ({ code: null, signal: null })))
      )
  yield* request.emit({ _tag: "Exited", ...exit, stderr: yield* child.stderr })
})
