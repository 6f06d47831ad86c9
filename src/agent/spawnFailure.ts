/** Why a process could not be spawned, and what to do about it. */
import { Effect } from "effect"
import { AgentFailed } from "./Agent.ts"
import { redact, secretsIn } from "./redact.ts"
import { cut } from "../domain/cut.ts"

/** The part of a `SpawnSpec` that can be wrong. */
interface Spawned {
  readonly command: readonly [string, ...ReadonlyArray<string>]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly secrets?: ReadonlyArray<string> | undefined
}

/** Linux takes so many bytes for one argument, or one variable with its name, with the NUL at its end (MAX_ARG_STRLEN). */
const maxArgumentBytes = 128 * 1024

/** Fails for what no kernel can pass to a program, and says which argument or variable it is. */
export const checkArguments = ({ command, env }: Spawned): Effect.Effect<void, AgentFailed> => {
  const [file, ...args] = command
  const named = [
    ...args.map((text) => [`its argument ${nameOf(text)}`, text] as const),
    ...Object.entries(env).map(([name, value]) => [`the variable ${name}`, `${name}=${value}`] as const)
  ]
  for (const [what, text] of named) {
    if (text.includes("\0")) return notPassed(`${file} was not started: ${what} contains the character NUL.`)
    const bytes = text.length * 3 < maxArgumentBytes ? 0 : Buffer.byteLength(text)
    if (process.platform === "linux" && bytes >= maxArgumentBytes)
      return notPassed(
        `${file} was not started: ${what} has ${bytes} bytes, and the kernel takes at most ${maxArgumentBytes - 1}. Make it shorter.`
      )
  }
  return Effect.void
}

const notPassed = (message: string) => Effect.fail(new AgentFailed({ class: "config", message }))

/** An option by its name, another argument by its beginning. */
const nameOf = (argument: string): string =>
  /^--?[A-Za-z][\w-]*(?==)/.exec(argument)?.[0] ??
  JSON.stringify(argument.length > 20 ? `${cut(argument, 20)}…` : argument)

/** From what Node threw. */
export const refusedByKernel = (spec: Spawned, defect: unknown): AgentFailed => {
  const [file] = spec.command
  const isTooLong = typeof defect === "object" && defect !== null && "code" in defect && defect.code === "E2BIG"
  return new AgentFailed(
    isTooLong
      ? {
          class: "config",
          message: `${file} was not started: its arguments and its environment together are longer than the kernel takes. Make them shorter.`
        }
      : {
          class: "crash",
          message: redact(
            `${file} could not be started: ${defect instanceof Error ? defect.message : String(defect)}`,
            secretsIn(spec)
          )
        }
  )
}

/** What the machine has run out of, and how to give it more. It may pass by itself. */
const exhausted = ({ code }: NodeJS.ErrnoException): string | undefined => {
  switch (code) {
    case "EMFILE":
      return "could not be started: Troupe has as many files open as it may (EMFILE). Raise the limit (`ulimit -n`, systemd's LimitNOFILE), or lower TROUPE_MAX_PROCESSES."
    case "ENFILE":
      return "could not be started: the machine has as many files open as it can (ENFILE, fs.file-max)."
    case "EAGAIN":
      return "could not be started: this user, or the container, has as many processes as it may (EAGAIN). Raise the limit (`ulimit -u`, systemd's TasksMax), or lower TROUPE_MAX_PROCESSES."
    case "ENOMEM":
      return "could not be started: the machine has no memory left (ENOMEM). Lower TROUPE_MAX_PROCESSES."
    default:
      return undefined
  }
}

export const withoutDirectory = ({ command: [file], cwd }: Spawned): AgentFailed =>
  new AgentFailed({
    class: "config",
    message: `${file} was not started: its working directory ${cwd} does not exist or may not be entered. Create it, or give another cwd.`
  })

/** From Node's error of the start. */
export const notStarted = (spec: Spawned, error: NodeJS.ErrnoException): AgentFailed => {
  const [file] = spec.command
  switch (error.code) {
    case "ENOENT":
      return new AgentFailed({
        class: "config",
        message: `${file} was not found. Install it, put it on PATH, or name its full path in the agent's "command".`
      })
    case "EACCES":
      return new AgentFailed({
        class: "config",
        message: `${file} may not be executed by this user. Check its permissions, or name another program in the agent's "command".`
      })
    default: {
      const message = exhausted(error) ?? `could not be started: ${error.message}`
      return new AgentFailed({ class: "crash", message: redact(`${file} ${message}`, secretsIn(spec)) })
    }
  }
}
