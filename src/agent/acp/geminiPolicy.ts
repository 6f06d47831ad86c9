/**
 * What keeps Gemini CLI to a session's permissions beyond its mode: a policy on its command line, above all others that it
 * reads (seen on 0.61).
 *
 * In every mode it runs commands that it takes for mere reads without asking, and no policy has it ask: only a refusal
 * counts. One of them writes: `uniq IN OUT`. It reads a command before the shell does, so `un$@iq` is the same to it.
 * Nor does it ask before it searches the web; and in its plan mode, which its model can choose, it writes plans unasked.
 */
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import type { PermissionPolicy } from "../../domain/Permissions.ts"
import type { DriverConfig } from "../Agent.ts"
import type { Processes } from "../Processes.ts"
import * as KnownAgents from "./knownAgents.ts"
import type { AcpSpec } from "./spec.ts"

type Command = DriverConfig["command"]

/** A word of the command that has these letters in their order, with anything between them. */
const uniq = String.raw`u\\S*n\\S*i\\S*q`

const refusal = `decision = "deny"\npriority = 999\ndenyMessage = "The session's permissions do not allow it."\n`

const rule = (tool: string, more = "") => `[[rule]]\ntoolName = "${tool}"\n${more}${refusal}`

const unasked = [rule("google_web_search"), rule("enter_plan_mode")]

/** Where nobody is asked no command runs at all. */
export const policy = (permissions: PermissionPolicy): string | null => {
  switch (permissions) {
    case "approve_all":
      return null
    case "deny":
    case "approve_reads":
      return [...unasked, rule("run_shell_command")].join("\n")
    case "ask":
    case "approve_edits":
      return [...unasked, rule("run_shell_command", `commandRegex = "[^\\"]*${uniq}"\n`)].join("\n")
  }
}

/** The command with its policy, in a file that is gone with the scope. */
export const launched = (
  processes: Pick<Processes["Service"], "temporary">,
  agent: KnownAgents.KnownAgent | null,
  command: Command,
  permissions: PermissionPolicy
) => {
  const text = agent === "gemini" ? policy(permissions) : null
  if (text === null) return Effect.succeed(command)
  return Effect.map(processes.temporary("gemini"), (directory): Command => {
    const file = join(directory, "troupe.toml")
    writeFileSync(file, text)
    return [...command, "--admin-policy", file]
  })
}

const shells = /^(?:ba|da|z|k)?sh$/

/** A wrapper that is not known to pass its arguments on would leave the policy out. A sentence; `null`: it is started directly. */
export const launchProblem = (
  { command, name }: Pick<DriverConfig, "command" | "name">,
  spec: AcpSpec,
  permissions: PermissionPolicy
): string | null =>
  KnownAgents.ofCommand(command, spec) === "gemini" && !shells.test(basename(command[0]))
    ? null
    : `Permissions ${JSON.stringify(permissions)} can't be kept by ${name}: Gemini CLI is kept to them by arguments of its own, and it is not started directly. Start it as \`gemini --acp\`, or use "approve_all".`
