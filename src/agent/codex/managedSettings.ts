/**
 * Sees whether codex runs a thread with the sandbox and the approvals that keep the session's permissions.
 *
 * What an administrator's requirements forbid, codex replaces by what they allow, with a warning only (0.169). A session
 * would then ask for every command, or could write nothing, and nobody would know why. A codex of another version may not
 * know what it was asked for, and would run with less than the permissions promise. So the start fails instead.
 */
import { Effect } from "effect"
import { cut } from "../../domain/cut.ts"
import { at, listIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import { AgentFailed } from "../Agent.ts"
import type { Peer } from "../JsonRpc.ts"
import { redact } from "../redact.ts"

/** By the names that `thread/start` takes. */
export interface Wish {
  readonly approvalPolicy: "never" | "on-request"
  readonly sandbox: "read-only" | "workspace-write" | "danger-full-access"
}

/** As `thread/start` answers: the sandbox's policy is an object, whose type is written in another way. */
const sandboxTypes: Readonly<Record<Wish["sandbox"], string>> = {
  "read-only": "readOnly",
  "workspace-write": "workspaceWrite",
  "danger-full-access": "dangerFullAccess"
}

const readWithinMillis = 5_000

/** `…disallowed by requirements; … Details: … is not in the allowed set [ReadOnly] (set by /etc/codex/requirements.toml)` */
export const isForbidden = (warning: string): boolean => warning.includes("disallowed by requirements")

/** Fails with class `config` where the reply has other settings than the wish. */
export const check = Effect.fnUntraced(function* (
  peer: Peer,
  wish: Wish,
  reply: unknown,
  warnings: ReadonlyArray<string>
) {
  const { approvalPolicy, sandbox } = objectIn(reply)
  const sandboxType = textIn(objectIn(sandbox)["type"])
  const refused = [
    ...(sandboxType === null || sandboxType === sandboxTypes[wish.sandbox] ? [] : [`sandbox "${wish.sandbox}"`]),
    ...(approvalPolicy == null || approvalPolicy === wish.approvalPolicy ? [] : [`approvals "${wish.approvalPolicy}"`])
  ]
  if (refused.length === 0) return
  const requirements = yield* peer.request("configRequirements/read", {}, { timeoutMillis: readWithinMillis }).pipe(
    Effect.map((result) => at(result, "requirements")),
    Effect.catch(() => Effect.succeed(null))
  )
  if (requirements == null && warnings.length === 0) {
    return yield* new AgentFailed({
      class: "config",
      message: `Codex does not run this session with the ${refused.join(" and the ")} that its permissions need, but with ${cut(JSON.stringify({ sandbox: sandboxType, approvals: approvalPolicy }), 200)}. Update codex, or see whether its configuration says otherwise.`
    })
  }
  const files = new Set(warnings.flatMap((warning) => /\(set by ([^)]+)\)/.exec(warning)?.[1] ?? []))
  const by = files.size === 0 ? "its managed requirements (/etc/codex/requirements.toml)" : [...files].join(" and ")
  return yield* new AgentFailed({
    class: "config",
    message: `Codex may not use the ${refused.join(" and the ")} that Troupe's sessions need: ${by} forbids it.${allowed(objectIn(requirements))} Have that file allow it.${details(warnings)}`
  })
})

const allowed = (requirements: JsonObject): string => {
  const lists = [
    ["sandboxes", requirements["allowedSandboxModes"]],
    ["approvals", requirements["allowedApprovalPolicies"]]
  ] as const
  return lists
    .filter(([, values]) => Array.isArray(values))
    .map(([name, values]) => ` Allowed ${name}: ${cut(JSON.stringify(listIn(values)), 200)}.`)
    .join("")
}

const details = (warnings: ReadonlyArray<string>): string => {
  const words = [...new Set(warnings.flatMap((warning) => /Details: (.*)/s.exec(warning)?.[1] ?? []))]
  return words.length === 0 ? "" : ` (${cut(redact(words.join("; ")), 500)})`
}
