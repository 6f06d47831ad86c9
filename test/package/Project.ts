/** An empty project in a temporary directory, in which a stranger installs and uses the packed package. */
import { assert } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"

export const root = join(import.meta.dirname, "..", "..")

/** An installation by git installs the development tools, and builds. */
const commandWithinMillis = 580_000

export interface Finished {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Without this checkout on the PATH. */
export const strangersPath = (process.env["PATH"] ?? "").split(":").filter((each) => !each.startsWith(root))

/** Runs a command with the Node that runs this test, and without what npm and Troupe have in the environment here. */
export const run = (
  cwd: string,
  command: string,
  args: ReadonlyArray<string>,
  extra: Readonly<Record<string, string>> = {}
): Finished => {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|TROUPE_|INIT_CWD|NODE_PATH|NODE_ENV)/.test(name)
  )
  const env = {
    ...Object.fromEntries(inherited),
    PATH: [dirname(process.execPath), ...strangersPath].join(":"),
    NO_COLOR: "1",
    ...extra
  }
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    cwd,
    env,
    encoding: "utf8",
    timeout: commandWithinMillis
  })
  if (error !== undefined) throw error
  return { status, stdout, stderr }
}

export const succeed = (
  cwd: string,
  command: string,
  args: ReadonlyArray<string>,
  extra: Readonly<Record<string, string>> = {}
): string => {
  const { status, stderr, stdout } = run(cwd, command, args, extra)
  assert.strictEqual(status, 0, `${command} ${args.join(" ")}\n${stdout}\n${stderr}`)
  return stdout
}

export class Project {
  readonly directory: string

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), "troupe-package-"))
    this.write("package.json", JSON.stringify({ name: "stranger", private: true, type: "module" }))
  }

  file(name: string): string {
    return join(this.directory, name)
  }

  write(name: string, content: string): void {
    writeFileSync(this.file(name), content)
  }

  install(...packages: ReadonlyArray<string>): void {
    succeed(this.directory, "npm", ["install", "--no-audit", "--no-fund", ...packages])
  }

  run(command: string, ...args: ReadonlyArray<string>): Finished {
    return run(this.directory, command, args)
  }

  succeed(command: string, ...args: ReadonlyArray<string>): string {
    return succeed(this.directory, command, args)
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}
