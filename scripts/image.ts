/**
 * `npm run image`: builds the image of deploy/Dockerfile, starts it, and waits until its health check passes.
 *
 * Where there is no docker the same steps run here, with the image's directories below a temporary one: what it copies, what it
 * runs, its variables, its command as a user that is not root, and its health check. What only an image has is named and left out.
 */
import { spawn, spawnSync } from "node:child_process"
import { chmodSync, chownSync, cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, delimiter, dirname, join } from "node:path"
import process from "node:process"
import { setTimeout as sleep } from "node:timers/promises"

const root = join(import.meta.dirname, "..")
const healthyWithinMillis = 60_000
const endsWithinMillis = 30_000

type Step = readonly [word: string, rest: string]

const readSteps = (): ReadonlyArray<Step> =>
  readFileSync(join(root, "deploy", "Dockerfile"), "utf8")
    .split("\n")
    .filter((line) => /^[A-Z]/.test(line))
    .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)])

/** Nobody's ids, for the command of an image whose user is not root. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

const withoutDocker = async (): Promise<number> => {
  const base = mkdtempSync(join(tmpdir(), "troupe-image-"))
  chmodSync(base, 0o755)
  try {
    return await runSteps(base)
  } finally {
    rmSync(base, { recursive: true, force: true })
  }
}

const runSteps = async (base: string): Promise<number> => {
  const stages = new Map<string, string>()
  let stage = ""
  let directory = ""
  let health: ReadonlyArray<string> = []
  const env: Record<string, string> = {
    // Proxies and certificates, which docker's build has from its host, too; and nothing of who started this.
    ...ownEnvironment(),
    PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
    HOME: process.env["HOME"] ?? base,
    TROUPE_PORT: "0"
  }
  const place = (path: string) => join(stage, path.startsWith("/") ? path : join(directory, path))
  /** The image's absolute paths in a command. */
  const placed = (command: string) =>
    command.replaceAll(/(?<=\s)\/(tmp|var\/lib\/troupe)\b/g, (path) => join(stage, path))

  for (const [word, rest] of readSteps()) {
    console.log(`${word} ${rest}`)
    if (word === "FROM") {
      const [, name = "run"] = / AS (\S+)$/.exec(rest) ?? []
      stage = join(base, name)
      stages.set(name, stage)
      directory = "/"
      for (const each of ["tmp", "var/lib/troupe"]) mkdirSync(join(stage, each), { recursive: true })
      env["PATH"] = [join(stage, "usr", "bin"), env["PATH"]].join(delimiter)
      env["npm_config_prefix"] = join(stage, "usr")
    } else if (word === "WORKDIR") {
      directory = rest
      mkdirSync(place(rest), { recursive: true })
    } else if (word === "COPY") copy(rest, place, stages)
    else if (word === "RUN") {
      if (/^apt-get|^install -d -o/.test(rest)) console.log("  left out: it is of an image only")
      else if (spawnSync("sh", ["-c", placed(rest)], { cwd: place("."), env, stdio: "inherit" }).status !== 0) return 1
    } else if (word === "ENV") {
      const [name = "", value = ""] = rest.split("=")
      env[name] = value.startsWith("/") ? place(value) : value
    } else if (word === "HEALTHCHECK") health = JSON.parse(rest.slice(rest.indexOf("["))) as ReadonlyArray<string>
    else if (word === "CMD") return serve(JSON.parse(rest) as ReadonlyArray<string>, health, place("."), env)
  }
  console.error("deploy/Dockerfile has no CMD.")
  return 1
}

const ownEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || /^(npm_|TROUPE_|INIT_CWD$|NODE_ENV$)/.test(name) ? [] : [[name, value]]
    )
  )

const copy = (rest: string, place: (path: string) => string, stages: ReadonlyMap<string, string>): void => {
  const [, name, paths = rest] = /^--from=(\S+) (.*)$/.exec(rest) ?? []
  const from = name === undefined ? root : (stages.get(name) ?? root)
  const words = paths.split(" ")
  const target = words.at(-1) ?? "."
  for (const source of words.slice(0, -1)) {
    if (source === ".") cpSync(root, place(target), { recursive: true, filter: isSent })
    else
      for (const file of globSync(source.replace(/^\//, ""), { cwd: from }))
        cpSync(join(from, file), place(target.endsWith("/") ? join(target, basename(file)) : target))
  }
}

const ignored = new Set(
  readFileSync(join(root, "deploy", "Dockerfile.dockerignore"), "utf8")
    .split("\n")
    .map((line) => line.replace("**/", ""))
)
const isSent = (path: string): boolean => !ignored.has(basename(path))

const serve = async (
  [command = "", ...args]: ReadonlyArray<string>,
  [check = "", ...checkArgs]: ReadonlyArray<string>,
  cwd: string,
  env: Readonly<Record<string, string>>
): Promise<number> => {
  if (nobody.uid !== undefined) chownSync(cwd, nobody.uid, nobody.gid)
  const server = spawn(command, args, {
    cwd,
    env: { ...env, HOME: cwd },
    stdio: ["ignore", "pipe", "inherit"],
    ...nobody
  })
  const ended = new Promise<number | null>((resolve) => server.once("exit", resolve))
  const isHealthy = server.stdout === null ? false : await becomesHealthy(server.stdout, check, checkArgs, env)
  console.log(isHealthy ? "It is healthy." : "It did not become healthy.")
  server.kill("SIGTERM")
  const code = await Promise.race([ended, sleep(endsWithinMillis, "late" as const, { ref: false })])
  if (code === "late") server.kill("SIGKILL")
  console.log(code === 0 ? "It ended well when it was asked to." : `It did not end well: ${code}.`)
  return isHealthy && code === 0 ? 0 : 1
}

const becomesHealthy = async (
  stdout: NodeJS.ReadableStream,
  check: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
): Promise<boolean> => {
  let said = ""
  stdout.setEncoding("utf8").on("data", (text: string) => (said += text))
  for (const until = Date.now() + healthyWithinMillis; Date.now() < until; await sleep(200)) {
    const [, port] = /http:\/\/[\w.[\]:]+?:(\d+)/.exec(said) ?? []
    if (port === undefined) continue
    if (spawnSync(check, args, { env: { ...env, TROUPE_PORT: port } }).status === 0) return true
  }
  console.error(said)
  return false
}

const docker = (...args: ReadonlyArray<string>) => spawnSync("docker", args, { cwd: root, encoding: "utf8" })

const withDocker = async (): Promise<number> => {
  const built = spawnSync("docker", ["build", "-f", "deploy/Dockerfile", "-t", "troupe", "."], {
    cwd: root,
    stdio: "inherit"
  })
  if (built.status !== 0) return 1
  const id = docker("run", "--detach", "--rm", "troupe").stdout.trim()
  try {
    for (const until = Date.now() + healthyWithinMillis; Date.now() < until; await sleep(1_000)) {
      if (docker("inspect", "--format", "{{.State.Health.Status}}", id).stdout.trim() !== "healthy") continue
      console.log("It is healthy.")
      return 0
    }
    console.error(docker("logs", id).stdout, "It did not become healthy.")
    return 1
  } finally {
    docker("stop", id)
  }
}

const hasDocker = docker("info").status === 0
console.log(hasDocker ? "With docker:" : "No docker here: the image's steps run by themselves.")
process.exitCode = await (hasDocker ? withDocker() : withoutDocker())
