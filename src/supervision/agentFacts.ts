/** Passes on to a session what its agent's process says, and how it ends: updates as they are, the rest as events. */
import { Clock, Effect, Random } from "effect"
import type { AgentFact } from "../agent/Agent.ts"
import { errorLine } from "../agent/errorLine.ts"
import { exitLine } from "../agent/wireLine.ts"
import { troupeMessage } from "../domain/events/troupeMessage.ts"
import type { SessionId } from "../domain/Ids.ts"
import type { Failure } from "../domain/Turn.ts"
import type { SessionPort } from "../session/CommandHandler.ts"
import type { AgentProcess } from "./AgentProcess.ts"
import type { Capsules } from "./Capsules.ts"

/** A failure with its time and its dice, as the machine needs them. */
export const failureAt = Effect.fnUntraced(function* (failure: Failure) {
  return { failure, at: yield* Clock.currentTimeMillis, jitter: yield* Random.next }
})

export type AgentFacts = (port: SessionPort, agentProcess: AgentProcess) => (fact: AgentFact) => Effect.Effect<void>

/** `current` is the process that a session has now. */
export const make = (current: (session: SessionId) => AgentProcess | undefined, capsules: Capsules): AgentFacts => {
  // At once, as far as there is nothing to be waited for.
  const receivedSeldom = Effect.fnUntracedEager(function* (
    port: SessionPort,
    agentProcess: AgentProcess,
    fact: Exclude<AgentFact, { readonly _tag: "Update" }>
  ) {
    const session = port.record().id
    switch (fact._tag) {
      case "McpFailed": {
        const { message, server, turn } = fact
        return yield* port.append(turn, troupeMessage("mcp_failed", { server, message }))
      }
      case "TurnStarted":
        return yield* port.agentTurn(fact.turn, fact.agentTurnId)
      case "TurnEnded": {
        const { failure, stopReason, turn, usage, wire = null } = fact
        const { conversation } = agentProcess
        if (conversation !== null) yield* capsules.store(port, conversation)
        return yield* port.postNow({ event: { type: "turn.ended", turn, stopReason, failure }, usage, wire })
      }
      case "Exited": {
        // A process that is being ended, or was, does not die unexpectedly.
        if (current(session) !== agentProcess) return
        const failure = { class: "crash" as const, message: deathOf(fact), stderr: fact.stderr }
        const wire = exitLine(fact, fact.stderr)
        return yield* port.post({
          event: {
            type: "process.exited",
            ...(yield* failureAt(failure)),
            exit: { code: fact.code, signal: fact.signal }
          },
          wire
        })
      }
      default:
        return fact satisfies never
    }
  })

  return (port, agentProcess) => (fact) =>
    fact._tag === "Update" ? port.append(fact.turn, fact.message) : receivedSeldom(port, agentProcess, fact)
}

const deathOf = ({
  code,
  signal,
  stderr
}: {
  readonly code: number | null
  readonly signal: string | null
  readonly stderr: string
}) => {
  const how = signal === null ? `ended with exit code ${code ?? "unknown"}` : `was killed by ${signal}`
  const why = errorLine(stderr)
  return `The agent process ${how}${why === "" ? "." : `: ${why}`}`
}
