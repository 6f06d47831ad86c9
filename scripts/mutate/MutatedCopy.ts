/**
 * A copy of the working tree, in which mutants live and are tested: the checkout itself is never changed.
 *
 * Tests of a mutant may leave processes behind, which is just what some mutants do. They work below the copy's
 * directory or have it in their environment, by which they are found and killed.
 */
import { spawn } from "node:child_process"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import process from "node:process"

/** `TimedOut`: the program took too long, or one of its tests. `failed` is the first test that failed, by file and name. */
export type Verdict =
  | { readonly _tag: "Passed" }
  | { readonly _tag: "Failed"; readonly failed: string }
  | { readonly _tag: "TimedOut"; readonly failed: string }

/** What `vitest --reporter json` writes, as far as it is read here. */
interface Report {
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly status: string
    readonly assertionResults: ReadonlyArray<{
      readonly status: string
      readonly fullName: string
      readonly failureMessages: ReadonlyArray<string>
    }>
  }>
}

const leftBehind = new Set(["node_modules", ".git", ".troupe", "artifacts", "coverage"])

export class MutatedCopy {
  readonly tree: string
  readonly #base: string
  readonly #temporary: string
  #running: number | undefined

  constructor(root: string) {
    this.#base = realpathSync(mkdtempSync(join(tmpdir(), "mutate-")))
    this.tree = join(this.#base, "tree")
    this.#temporary = join(this.#base, "tmp")
    mkdirSync(this.#temporary)
    cpSync(root, this.tree, { recursive: true, filter: (path) => !leftBehind.has(basename(path)) })
    for (const modules of ["node_modules", "test/real/node_modules"]) {
      if (existsSync(join(root, modules))) symlinkSync(realpathSync(join(root, modules)), join(this.tree, modules))
    }
  }

  read(file: string): string {
    return readFileSync(join(this.tree, file), "utf8")
  }

  write(file: string, source: string): void {
    writeFileSync(join(this.tree, file), source)
  }

  /** Runs the tests up to the first that fails. */
  async test(args: ReadonlyArray<string>, withinMillis: number): Promise<Verdict> {
    const report = join(this.#base, "report.json")
    rmSync(report, { force: true })
    const options = ["--passWithNoTests", "--bail=1", "--testTimeout=20000", "--maxWorkers=2", "--reporter=json"]
    const cache = ["--fsModuleCache", `--fsModuleCachePath=${join(this.#base, "cache")}`]
    const program = [join("node_modules", "vitest", "vitest.mjs"), ...args, ...options, ...cache]
    const { output, status } = await this.#run([...program, `--outputFile=${report}`], withinMillis)
    if (status === "late") return { _tag: "TimedOut", failed: args.join(" ") }
    if (status === 0) return { _tag: "Passed" }
    return this.#firstFailure(report) ?? { _tag: "Failed", failed: output.trim().split("\n").at(-1) ?? "" }
  }

  /** Whether the compiler takes it: then it could be written by mistake. */
  async compiles(): Promise<boolean> {
    const { status } = await this.#run(
      [join("node_modules", "typescript", "bin", "tsc"), "--noEmit", "-p", "."],
      120_000
    )
    return status === 0
  }

  /** Ends everything that runs in the copy, and removes it. */
  remove(): void {
    this.#end()
    rmSync(this.#base, { recursive: true, force: true, maxRetries: 5 })
  }

  #firstFailure(report: string): Verdict | null {
    let parsed: Report
    try {
      parsed = JSON.parse(readFileSync(report, "utf8"))
    } catch {
      return null
    }
    const relative = (name: string) => name.slice(this.tree.length + 1)
    for (const { assertionResults, name } of parsed.testResults) {
      const test = assertionResults.find(({ status }) => status === "failed")
      if (test === undefined) continue
      const timedOut = test.failureMessages.some((message) => message.includes("timed out in"))
      return { _tag: timedOut ? "TimedOut" : "Failed", failed: `${relative(name)} > ${test.fullName}` }
    }
    // A file that can't be loaded has no tests. One that was ended with the first failure counts as failed, too.
    const file = parsed.testResults.find(({ status }) => status === "failed")
    return file === undefined ? null : { _tag: "Failed", failed: relative(file.name) }
  }

  async #run(args: ReadonlyArray<string>, withinMillis: number): Promise<{ status: number | "late"; output: string }> {
    // A group of its own: Ctrl-C reaches only this program, which then ends the others. No test is run a second time.
    const env: NodeJS.ProcessEnv = { ...process.env, TMPDIR: this.#temporary, NO_COLOR: "1" }
    delete env["CI"]
    const child = spawn(process.execPath, args, {
      cwd: this.tree,
      env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"]
    })
    this.#running = child.pid
    let output = ""
    const keep = (text: Buffer) => (output = (output + text.toString()).slice(-4_000))
    child.stdout.on("data", keep)
    child.stderr.on("data", keep)
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#end()
    }, withinMillis)
    const status = await new Promise<number>((resolve) => {
      child.on("error", () => resolve(1))
      child.on("exit", (code) => resolve(code ?? 1))
    })
    clearTimeout(timer)
    // Its number may be another process's from now on.
    this.#running = undefined
    this.#end()
    rmSync(this.#temporary, { recursive: true, force: true, maxRetries: 5 })
    mkdirSync(this.#temporary)
    return { status: late ? "late" : status, output }
  }

  /** Ends the program that runs, and what it or an earlier one started. */
  #end(): void {
    for (const pid of [this.#running ?? [], strays(this.#base)].flat()) {
      try {
        process.kill(pid, "SIGKILL")
      } catch {
        // It has ended.
      }
    }
  }
}

/** Processes with this directory in their environment or working below it, by `/proc`; without that none are found. */
const strays = (directory: string): ReadonlyArray<number> => {
  const pids = existsSync("/proc/self/environ") ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : []
  return pids.flatMap((pid) => {
    try {
      const ours = `${readlinkSync(`/proc/${pid}/cwd`)}\n${readFileSync(`/proc/${pid}/environ`, "utf8")}`
      return ours.includes(directory) ? [Number(pid)] : []
    } catch {
      return []
    }
  })
}
