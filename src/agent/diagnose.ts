/** Tests whether an agent works, without a prompt: spawns it, shakes hands, opens a session, and ends the process. */
import { Clock, Effect } from "effect"
import { newLeaseId, SessionId } from "../domain/Ids.ts"
import { AgentFailed, plainSetup } from "./Agent.ts"
import type { AgentDriver, OpenRequest } from "./Agent.ts"
import { sentenceOf } from "./MalformedLines.ts"
import type { Processes, Vitals } from "./Processes.ts"
import { cut } from "../domain/cut.ts"

/** The driver gives up before, and says at which request. */
const afterStartMillis = 5_000

/**
 * Gives its duration, what the agent announces, what will go wrong in turns, and its lines that were no message. Calls no
 * model. No process is left when this returns. `startMillis`: what a session gives the agent to get ready, so that no agent
 * is called broken that sessions would wait for.
 */
export const handshake = Effect.fnUntraced(function* (
  processes: Processes["Service"],
  driver: AgentDriver,
  startMillis: number
) {
  const withinMillis = startMillis + afterStartMillis
  const lease = newLeaseId("doctor-")
  const cwd = yield* processes.temporary("doctor")
  const startedAt = yield* Clock.currentTimeMillis
  const request: OpenRequest = {
    session: SessionId.make(lease),
    lease,
    cwd,
    ...plainSetup,
    permissions: "deny",
    thread: null,
    emit: () => Effect.void,
    approve: () => Effect.succeed("deny"),
    spawned: () => Effect.void
  }
  return yield* Effect.gen(function* () {
    const { capabilities, findProblem, version } = yield* driver.open(request)
    const millis = (yield* Clock.currentTimeMillis) - startedAt
    const vitals = yield* processes.vitals(lease)
    const problem = findProblem === undefined ? null : yield* findProblem
    return { capabilities, version, millis, problem, noise: noiseOf(vitals) }
  }).pipe(
    Effect.timeoutOrElse({
      duration: withinMillis,
      orElse: () =>
        Effect.flatMap(processes.vitals(lease), (vitals) => Effect.fail(silent(driver.name, withinMillis, vitals)))
    }),
    // In every case, and before the scope closes, which would ask the processes to exit and wait.
    Effect.ensuring(processes.sweep(lease))
  )
}, Effect.scoped)

const silent = (name: string, withinMillis: number, vitals: Vitals | null) => {
  const lastLine = vitals?.stderr.trim().split("\n").at(-1) ?? ""
  const stderr = lastLine === "" ? "" : ` The last line of its stderr: "${cut(lastLine, 300)}".`
  return new AgentFailed({
    class: "timeout",
    message: `${name} did not answer its handshake within ${withinMillis / 1_000} s.${sentenceOf(noiseOf(vitals))}${stderr} Run it by hand to see what it waits for.`
  })
}

const noiseOf = (vitals: Vitals | null) => ({
  count: vitals?.malformedLines ?? 0,
  first: vitals?.firstMalformedLine ?? null
})
