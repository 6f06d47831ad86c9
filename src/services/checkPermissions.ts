/** Refuses permissions that mean nothing, and those that the agent can't be kept to in that directory: now, not at the first approval. */
import { Effect } from "effect"
import { runPermissionsProblem } from "../agent/runPermissions.ts"
import type { AgentDriver } from "../agent/Agent.ts"
import { problemOfPermissions } from "../domain/Permissions.ts"
import type { PermissionPolicy, Permissions } from "../domain/Permissions.ts"
import { InvalidRequest, NotSupported } from "../domain/Refusal.ts"

export const checkPermissions = Effect.fnUntraced(function* (
  driver: AgentDriver,
  permissions: Permissions,
  cwd: string
) {
  const invalid = problemOfPermissions(permissions)
  if (invalid !== null) return yield* new InvalidRequest(invalid)
  const problem = driver.permissionsProblem?.(permissions, cwd) ?? null
  if (problem !== null) return yield* new NotSupported({ problem })
})

export const checkRunPermissions = (word: PermissionPolicy | undefined): Effect.Effect<void, NotSupported> => {
  const problem = word === undefined ? null : runPermissionsProblem(word)
  return problem === null ? Effect.void : Effect.fail(new NotSupported({ problem }))
}
