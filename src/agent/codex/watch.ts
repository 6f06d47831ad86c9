/** Waits for the end of a connection to codex, and emits `Exited` once, as its last fact. */
import { Effect, Option } from "effect"
import type { OpenRequest } from "../Agent.ts"
import type { Child } from "../Child.ts"
import type { Peer } from "../JsonRpc.ts"
import type { Processes } from "../Processes.ts"

/** How long a process may run after its output ended. */
const exitWithinMillis = 1_000

export const watch = Effect.fnUntraced(function* (connection: {
  readonly processes: Processes["Service"]
  readonly request: OpenRequest
  readonly peer: Peer
  readonly child: Child
  /** Ends what still waits. */
  readonly end: Effect.Effect<void>
}) {
  const { child, end, peer, processes, request } = connection
  const ended = yield* Effect.result(peer.ended)
  const violation = ended._tag === "Failure" ? `${ended.failure.message}\n` : ""
  // Without its output the process is of no use. Its descendants are left to the sweep.
  if (violation !== "" || Option.isNone(yield* Effect.timeoutOption(child.exit, exitWithinMillis))) {
    yield* processes.signal(request.lease, "SIGKILL")
  }
  const { code, signal } = yield* child.exit
  yield* end
  yield* request.emit({ _tag: "Exited", code, signal, stderr: `${violation}${yield* child.stderr}` })
})
