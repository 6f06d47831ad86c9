/** Runs the real program in a real process, for tests of the command line. The tester's own settings are not used. */
import { spawn, spawnSync } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { main } from "../builtProgram.ts"

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  /** The output so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  readonly ended: Promise<Ended>
  /** Resolves with the first match in stdout after index `from`; rejects when the program ends before. */
  readonly printed: (pattern: RegExp, from?: number) => Promise<RegExpExecArray>
  /** Resolves when the condition holds after some output; rejects when the program ends before. */
  readonly until: (holds: () => boolean) => Promise<void>
  /** Writes to stdin, where it has one. */
  readonly write: (text: string) => void
}

/** Its stdin: nothing, a pipe that the test writes to, or a terminal of its own (`hasTerminals`). */
export type Stdin = "ignore" | "pipe" | "terminal"

export interface Workspace {
  readonly cwd: string
  readonly start: (args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>, stdin?: Stdin) => Running
  readonly run: (args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>) => Promise<Ended>
  /** Ends the programs that still run, and removes the directory. */
  readonly cleanUp: () => Promise<void>
}

/** `program`: another build of it. */
export const makeWorkspace = (program: string = main): Workspace => {
  const cwd = mkdtempSync(join(tmpdir(), "troupe-cli-"))
  // What programs leave that are killed goes with the workspace.
  const scratch = mkdtempSync(join(tmpdir(), "troupe-cli-"))
  const running = new Set<Running>()

  const start: Workspace["start"] = (args, env = {}, stdin = "ignore") => {
    // The PATH has Node and the system's programs only, so that no agent of the tester's machine is found.
    const childEnv = {
      PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
      HOME: cwd,
      TMPDIR: scratch,
      XDG_CACHE_HOME: scratch,
      ...env
    }
    const [command, all] = commandOf([process.execPath, program, ...args], stdin)
    const child: ChildProcess = spawn(command, [...all], {
      cwd,
      env: childEnv,
      stdio: [stdin === "ignore" ? "ignore" : "pipe", "pipe", "pipe"]
    })
    const text = { stdout: "", stderr: "" }
    const listeners = new Set<() => void>()
    for (const name of ["stdout", "stderr"] as const) {
      child[name]!.setEncoding("utf8").on("data", (chunk: string) => {
        text[name] += chunk
        for (const listener of listeners) listener()
      })
    }
    const ended = once(child, "close").then(([code]): Ended => ({ code: code as number | null, ...text }))
    const found = <A>(look: () => A | null) =>
      new Promise<A>((resolve, reject) => {
        const listener = () => {
          const seen = look()
          if (seen !== null) resolve(seen)
        }
        listeners.add(listener)
        listener()
        void ended.then(({ code }) => reject(new Error(`it ended with ${code}: ${text.stdout}\n${text.stderr}`)))
      })
    const printed = (pattern: RegExp, from = 0) => found(() => pattern.exec(text.stdout.slice(from)))
    const until = (holds: () => boolean) => found(() => (holds() ? undefined : null))
    const write = (text: string) => void child.stdin?.write(text)
    const self: Running = { child, stdout: () => text.stdout, stderr: () => text.stderr, ended, printed, until, write }
    running.add(self)
    void ended.then(() => running.delete(self))
    return self
  }

  return {
    cwd,
    start,
    run: (args, env) => start(args, env).ended,
    cleanUp: async () => {
      for (const { child, ended } of running) {
        child.kill("SIGKILL")
        await ended
      }
      for (const path of [cwd, scratch]) rmSync(path, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

/** Whether `script` of util-linux is there, which Debian and its derivatives always have. */
export const hasTerminals =
  spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") === true

const commandOf = (
  [file = "", ...args]: ReadonlyArray<string>,
  stdin: Stdin
): readonly [string, ReadonlyArray<string>] => {
  if (stdin !== "terminal") return [file, args]
  const words = [file, ...args].map((word) => `'${word}'`).join(" ")
  return ["script", ["-qfec", `stty cols 100 rows 40; exec ${words}`, "/dev/null"]]
}

/** Whether a process still runs: a zombie, which only waits for its parent to reap it, does not. */
export const isAlive = (pid: number): boolean => {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" })
  return stdout.trim() !== "" && !stdout.startsWith("Z")
}
