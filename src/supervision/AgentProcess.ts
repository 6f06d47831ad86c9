/** One agent process under its lease, as the supervisor holds it. */
import type { Deferred, Fiber, Scope } from "effect"
import type { AgentConnection, Spare } from "../agent/Agent.ts"
import type { LeaseId } from "../domain/Ids.ts"
import type { SessionPort } from "../session/CommandHandler.ts"
import type { Conversation } from "./Capsules.ts"

export interface AgentProcess {
  /** Of its session. */
  readonly port: SessionPort
  readonly generation: number
  /** Of a process of its own, until a spare takes its place. */
  lease: LeaseId
  /** Of a spare that failed: closed with the opening of the other. */
  earlierLease: LeaseId | null
  /** It was taken over, with its lease. */
  spare: Spare | null
  readonly scope: Scope.Closeable
  /** `null`: it has ended. */
  opening: Deferred.Deferred<Fiber.Fiber<void>> | null
  connection: AgentConnection | null
  /** What is stored of it to go along to other nodes; `null`: nothing. */
  conversation: Conversation | null
  pid: number | null
}
