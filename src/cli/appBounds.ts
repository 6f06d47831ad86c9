/** The bounds of an app on the command line: their flags, and how they are printed. */
import { Option } from "effect"
import { Flag } from "effect/cli"
import { resolve } from "node:path"
import { boundsSentence } from "../domain/appBounds.ts"
import type { AppBounds } from "../domain/appBounds.ts"
import { PermissionPolicy } from "../domain/Permissions.ts"

export const boundsFlags = {
  cwdRoots: Flag.String("allow-cwd").pipe(
    Flag.withMetavar("DIRECTORY"),
    Flag.withDescription("It may choose directories in or below this one only; repeatable"),
    Flag.atLeast(0)
  ),
  agents: Flag.String("allow-agent").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription("It may use this agent only; repeatable. A run counts as claude"),
    Flag.atLeast(0)
  ),
  maxPermissions: Flag.Literals("max-permissions", PermissionPolicy.literals).pipe(
    Flag.withDescription("The widest permissions that it may ask for. Under ask it answers its own approvals"),
    Flag.optional
  ),
  noNetwork: Flag.Boolean("no-network").pipe(
    Flag.withDescription(
      "Nothing that gives its agents the network: no approve_all, and it approves reads and edits of files only"
    ),
    Flag.withDefault(false),
    Flag.withoutNegation
  )
}

export const boundsOf = (flags: {
  readonly cwdRoots: ReadonlyArray<string>
  readonly agents: ReadonlyArray<string>
  readonly maxPermissions: Option.Option<PermissionPolicy>
  readonly noNetwork: boolean
}): AppBounds => ({
  ...(flags.cwdRoots.length === 0 ? {} : { cwdRoots: flags.cwdRoots.map((root) => resolve(root)) }),
  ...(flags.agents.length === 0 ? {} : { agents: flags.agents }),
  ...(Option.isNone(flags.maxPermissions) ? {} : { maxPermissions: flags.maxPermissions.value }),
  ...(flags.noNetwork ? { network: false } : {})
})

/** As on the wire. */
export const boundsDto = (bounds: AppBounds | null) =>
  bounds === null
    ? null
    : {
        max_permissions: bounds.maxPermissions,
        agents: bounds.agents,
        cwd_roots: bounds.cwdRoots,
        network: bounds.network
      }

export const boundsText = (bounds: AppBounds | null): string => (bounds === null ? "anything" : boundsSentence(bounds))
