/** What an operator lets an app ask for: how wide its permissions are, with which agents, in which directories. */
import { Schema } from "effect"
import { PermissionPolicy, policyOf, rulesOf } from "./Permissions.ts"
import type { Permissions, RuleOutcome } from "./Permissions.ts"
import { mayReachNetwork } from "./RequestedAction.ts"

const names = Schema.Array(Schema.NonEmptyString).check(Schema.isMaxLength(64))

/** What is absent is unbounded. */
export const AppBounds = Schema.Struct({
  maxPermissions: Schema.optionalKey(
    PermissionPolicy.annotate({
      description: "The widest word. A rule that asks needs `ask`, and one that approves needs `approve_all`."
    })
  ),
  agents: Schema.optionalKey(
    names.annotate({ description: "The agents; a run counts as `claude`.", examples: [["codex"]] })
  ),
  cwdRoots: Schema.optionalKey(
    names.annotate({
      description:
        "Absolute directories, in or below which `cwd` must be, links resolved. Directories that Troupe makes are not bounded.",
      examples: [["/srv/repos"]]
    })
  ),
  network: Schema.optionalKey(
    Schema.Boolean.annotate({
      description:
        "`false`: nothing that gives an agent the network: not `approve_all`, and of what its agents ask it approves reads and edits of files only. It can deny the rest, and the admin can approve it."
    })
  )
})
export type AppBounds = typeof AppBounds.Type

/** The bounds of an app whose stored ones can't be read: the operator wanted some, so it may ask for nothing. */
export const nothingAllowed: AppBounds = { maxPermissions: "deny", agents: [], cwdRoots: [], network: false }

/** It may not have all permissions. */
export const narrowsPermissions = ({ maxPermissions = "approve_all", network }: AppBounds): boolean =>
  network === false || maxPermissions !== "approve_all"

/** What is bounded of a request; a part that the request does not have is absent. */
export interface BoundedRequest {
  readonly agent?: string
  readonly permissions?: Permissions
  /** A directory that the app chose, with its links resolved. */
  readonly realCwd?: string
  /** The field of an MCP server that the app brings itself. */
  readonly mcpServer?: string
  /** The kind of an agent's request for permission that the app approves (`kindShown`). */
  readonly approvedKind?: string
  /** It wants to see what is in any directory. */
  readonly anyDirectory?: boolean
}

/**
 * The first thing that is beyond the bounds, as a sentence that names the bound; `null`: nothing is. The roots of `bounds`
 * have their links resolved, too.
 */
export const boundsProblem = (
  bounds: AppBounds,
  { agent, anyDirectory, approvedKind, mcpServer, permissions, realCwd }: BoundedRequest
): string | null => {
  if (agent !== undefined && bounds.agents?.includes(agent) === false) {
    return `agent ${JSON.stringify(agent)} is not among those that the operator allows this app: ${listOf(bounds.agents)}.`
  }
  if (realCwd !== undefined && bounds.cwdRoots?.some((root) => isWithin(root, realCwd)) === false) {
    return `cwd is outside the directories that the operator allows this app: ${listOf(bounds.cwdRoots)}.`
  }
  if (anyDirectory === true && bounds.cwdRoots !== undefined) {
    return `cwd is missing: the operator allows this app directories in or below ${listOf(bounds.cwdRoots)} only.`
  }
  // Its program runs outside every sandbox, and its address may be anywhere.
  if (
    mcpServer !== undefined &&
    (bounds.network === false || rankOf(bounds.maxPermissions ?? "approve_all", -1) < widest)
  ) {
    return `${mcpServer} has a server of the app's own, which needs "approve_all" and the network; the operator allows this app less. Name one of the operator's servers instead.`
  }
  // A command that is approved runs outside of every sandbox that has no network, on every agent.
  if (approvedKind !== undefined && bounds.network === false && mayReachNetwork(approvedKind)) {
    return `A yes to ${JSON.stringify(approvedKind)} may give the agent the network, which the operator does not allow this app. It can deny it, and the admin can approve it.`
  }
  return permissions === undefined ? null : permissionsProblem(bounds, permissions)
}

const permissionsProblem = ({ maxPermissions, network }: AppBounds, permissions: Permissions): string | null => {
  for (const { field, word, needs } of wordsOf(permissions)) {
    const asked = `${field} ${JSON.stringify(word)}`
    const but = word === needs ? "" : `, which needs ${JSON.stringify(needs)},`
    if (maxPermissions !== undefined && rankOf(needs, widest + 1) > rankOf(maxPermissions, -1)) {
      return `${asked}${but} is wider than the operator allows this app: ${JSON.stringify(maxPermissions)} at most.`
    }
    if (network === false && rankOf(needs, widest + 1) >= widest) {
      return `${asked} gives the agent the network, which the operator does not allow this app.`
    }
  }
  return null
}

const needsOf: Readonly<Record<RuleOutcome, PermissionPolicy>> = { deny: "deny", ask: "ask", approve: "approve_all" }

/** Each word of the permissions, where it is, and how wide it is as a word for everything. */
const wordsOf = (permissions: Permissions) => {
  const policy = policyOf(permissions)
  const field = typeof permissions === "string" ? "permissions" : "permissions.default"
  const rules = rulesOf(permissions).map(({ then }, index) => ({
    field: `permissions.rules[${index}].then`,
    word: then as string,
    needs: needsOf[then]
  }))
  return [{ field, word: policy as string, needs: policy }, ...rules]
}

const widest = PermissionPolicy.literals.length - 1

/** `otherwise`: of a word that this version does not know, which must not be taken for a narrow one. */
const rankOf = (word: PermissionPolicy, otherwise: number): number => {
  const rank = PermissionPolicy.literals.indexOf(word)
  return rank === -1 ? otherwise : rank
}

/** By whole names: `/srv/repos-evil` is not within `/srv/repos`. */
const isWithin = (root: string, path: string): boolean => {
  const namesOfPath = segmentsOf(path)
  return segmentsOf(root).every((name, index) => namesOfPath[index] === name)
}

const segmentsOf = (path: string) => path.split("/").filter((name) => name !== "")

const listOf = (items: ReadonlyArray<string>) => (items.length === 0 ? "none" : items.join(", "))

/** The bounds in a line for a person; empty: there are none. */
export const boundsSentence = ({ agents, cwdRoots, maxPermissions, network }: AppBounds): string =>
  [
    ...(maxPermissions === undefined ? [] : [`at most ${maxPermissions}`]),
    ...(agents === undefined ? [] : [`agents: ${listOf(agents)}`]),
    ...(cwdRoots === undefined ? [] : [`below: ${listOf(cwdRoots)}`]),
    ...(network === false ? ["no network"] : [])
  ].join("; ")
