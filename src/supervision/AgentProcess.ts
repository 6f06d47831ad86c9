/** One agent process under its lease, as the supervisor holds it. */
import type { Deferred, Fiber, Scope } from "effect"
import type { AgentConnection } from "../agent/Agent.ts"
import type { LeaseId } from "../domain/Ids.ts"
import type { SessionPort } from "../session/CommandHandler.ts"

export interface AgentProcess {
  /** Of its session. */
  readonly port: SessionPort
  readonly generation: number
  readonly lease: LeaseId
  readonly scope: Scope.Closeable
  readonly opening: Deferred.Deferred<Fiber.Fiber<void>>
  connection: AgentConnection | null
  pid: number | null
}
