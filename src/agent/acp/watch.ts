/** Waits for the end of a connection, and emits `Exited` once, as its last fact. */
import { Effect, Option } from "effect"
import type { Failure } from "../../domain/Turn.ts"
import type { OpenRequest } from "../Agent.ts"
import type { Child, Exit } from "../Child.ts"
import type { Peer } from "../JsonRpc.ts"
import type { Processes } from "../Processes.ts"

/** How long a process may run after it closed its output: it can report nothing any more. */
const exitWithin = "5 seconds"

export const watch = Effect.fnUntraced(function* (connection: {
  readonly child: Child
  readonly peer: Peer
  readonly processes: Processes["Service"]
  readonly request: OpenRequest
  /** Ends what still waits. `failure`: why the running turn has an end of its own; `null`: `Exited` is its end. */
  readonly end: (failure: Failure | null) => Effect.Effect<void>
}) {
  const { child, end, peer, processes, request } = connection
  const kill = processes.signal(request.lease, "SIGKILL")
  yield* peer.ended.pipe(
    Effect.andThen(end(null)),
    // The agent broke the bounds of the protocol, and nothing more is read from it.
    Effect.catch(({ class: failureClass, message }) => Effect.andThen(end({ class: failureClass, message }), kill))
  )
  const exited = yield* Effect.timeoutOption(child.exit, exitWithin)
  const exit: Exit = Option.isSome(exited)
    ? exited.value
    : yield* Effect.andThen(kill, Effect.timeoutOption(child.exit, exitWithin)).pipe(
        Effect.map(Option.getOrElse(() => ({ code: null, signal: null })))
      )
  yield* request.emit({ _tag: "Exited", ...exit, stderr: yield* child.stderr })
})
