/** Recognizes an agent that could not begin: the shell, `env` or the kernel did not find a program that it needs. */
import type { Failure } from "../domain/Turn.ts"
import type { Exit } from "./Child.ts"
import { errorLine } from "./errorLine.ts"

/**
 * The exit codes of POSIX shells and `env` for a program that is not there, and for one that may not be executed. A start
 * script with `#!/usr/bin/env node` ends with 127 where PATH has no node, and says so on stderr.
 */
const notFound = 127
const notExecutable = 126

/**
 * The failure of a process that ended with this exit before its handshake; `null`: it began, and failed otherwise. No
 * restart can mend it, so it is class `config`.
 */
export const missingProgram = (name: string, exit: Exit | null, stderr: string): Failure | null => {
  if (exit?.code !== notFound && exit?.code !== notExecutable) return null
  const words = errorLine(stderr)
  const problem = exit.code === notFound ? "was not found" : "may not be executed"
  return {
    class: "config",
    message: `${name} can't be started: a program that it needs ${problem} (exit code ${exit.code}${words === "" ? "" : `: ${words}`}). Install it, put it on the PATH that Troupe is started with, or name its full path in the agent's "command".`
  }
}
