/**
 * Has codex run `true` in the sandbox that a thread's commands get, and tells why it could not.
 *
 * In most containers the sandbox (bubblewrap) can't make its namespaces. Codex says nothing of it before its first
 * command, and then each command asks to be run without the sandbox, or fails. Seen with 0.169: exit code 1, and stderr
 * `bwrap: Creating new namespace failed: …`.
 */
import { Effect } from "effect"
import { cut } from "../../domain/cut.ts"
import { numberIn, objectIn, textIn } from "../../domain/json.ts"
import type { Peer } from "../JsonRpc.ts"
import { redact } from "../redact.ts"
import type { CodexSpec } from "./spec.ts"

const commandMillis = 5_000

/** As `thread/start` makes it of `sandbox: "workspace-write"`. */
const sandboxPolicy = {
  type: "workspaceWrite",
  writableRoots: [],
  networkAccess: false,
  excludeTmpdirEnvVar: false,
  excludeSlashTmp: false
}

const ofNamespaces = /namespace|\buid map\b|not permitted|permission/i

/** Gives the problem, and `null` where there is none, or where this codex can't be asked. */
export const sandboxProblem = (peer: Peer, cwd: string, { sandbox }: CodexSpec): Effect.Effect<string | null> =>
  peer
    .request(
      "command/exec",
      { command: ["true"], cwd, sandboxPolicy, timeoutMs: commandMillis },
      { timeoutMillis: 2 * commandMillis }
    )
    .pipe(
      Effect.map((result) => {
        const { exitCode, stderr } = objectIn(result)
        const code = numberIn(exitCode)
        if (code === null || code === 0) return null
        const words = cut(
          redact(textIn(stderr) ?? "")
            .trim()
            .replace(/\s+/g, " "),
          500
        )
        const consequence =
          sandbox === undefined
            ? "every command of a session asks to be run without it, or fails"
            : 'every command of a session fails, but for those with the permissions "approve_all"'
        const container =
          " In a container, allow it to make user namespaces (seccomp and AppArmor profiles, user.max_user_namespaces)"
        const without =
          sandbox === undefined ? `, or set "sandbox": "danger-full-access" for sessions with "approve_all".` : "."
        return `Codex's sandbox can't start on this machine, so ${consequence}: ${words === "" ? `exit code ${code}` : words}.${ofNamespaces.test(words) ? container + without : ""}`
      }),
      Effect.catch(() => Effect.succeed(null))
    )
