/** The modes of codex (`collaborationMode`, 0.171). They are instructions for the model; sandbox and approvals stay. */
import type { Permissions } from "../../domain/Permissions.ts"
import type { Choice } from "../../domain/Session.ts"

export const modes: ReadonlyArray<Choice> = [
  { id: "default", name: "Default" },
  {
    id: "plan",
    name: "Plan",
    description: "Codex explores and asks, and proposes a plan instead of changing anything."
  }
]

/** Neither widens anything, whatever the permissions are. */
export const modeProblem = (mode: string, _permissions: Permissions): string | null =>
  modes.some(({ id }) => id === mode)
    ? null
    : `Codex has no mode ${JSON.stringify(mode)}. It has ${modes.map(({ id }) => JSON.stringify(id)).join(" and ")}.`
