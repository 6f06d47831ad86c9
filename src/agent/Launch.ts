/**
 * Finds what to launch for an agent: along the child's PATH, and among installed packages. Starts nothing.
 *
 * For an agent that is not installed, `hint` says what to do.
 */
import {
  createAgentRegistry,
  findBuiltInAgentPackage,
  resolveAgentCommand,
  resolveInstalledBuiltInAgentLaunch
} from "acpx/agent-registry"
import { existsSync, readFileSync, realpathSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { basename, dirname, extname, join, sep } from "node:path"
import { isMissing, missingPackage } from "../domain/optionalPackage.ts"
import * as Executable from "./executable.ts"
import { ownProgram } from "./ownProgram.ts"

export type Command = readonly [string, ...ReadonlyArray<string>]

export type Launch =
  | { readonly _tag: "Found"; readonly command: Command }
  | { readonly _tag: "Missing"; readonly hint: string }

const found = (command: Command): Launch => ({ _tag: "Found", command })
const missing = (hint: string): Launch => ({ _tag: "Missing", hint })

/** A bundle in CommonJS does not know its own place: packages are looked for from the directory in which it was started. */
const here = (import.meta.filename as string | undefined) ?? join(process.cwd(), "bundle.js")

const registry = createAgentRegistry()

/** The names of all agents in acpx's registry, `codex` and `claude` among them. */
export const registered: ReadonlyArray<string> = registry.list()

/** A configured command. `key` is its setting, for the hint. */
export const ofCommand = ([file, ...args]: Command, path: string | undefined, key: string): Launch => {
  const program = Executable.find(file, path)
  if (program !== null) return found([program, ...args])
  const problem = file.includes("/") ? `${file} is no program that may be run` : `${file} was not found on PATH`
  return missing(`${problem}. Install it, or set ${key} to where it is.`)
}

export const ofCodex = (path: string | undefined): Launch => {
  const program = Executable.find("codex", path)
  return program === null
    ? missing("codex was not found on PATH. Install it (npm install -g @openai/codex), then log in with `codex login`.")
    : found([program, "app-server"])
}

/**
 * An agent by its name in acpx's registry: on PATH first, then as an installed package. With `mayFetch` also what the
 * registry would download and run (`npx …`); that happens only for an agent that was configured by name.
 */
export const ofRegistry = (name: string, path: string | undefined, { mayFetch }: { readonly mayFetch: boolean }) => {
  const onPath = createAgentRegistry({
    resolveExecutable: (file) => Executable.find(file, path) ?? undefined,
    resolvePackageRoot: packageAbove(here)
  })
  const launch = onPath.inspect(name)?.launch
  if (launch?.kind === "installed" && isCommand(launch.argv)) return found(launch.argv)
  const [file = name, ...args] = argvOf(name)
  const fetcher = mayFetch ? Executable.find(file, path) : null
  if (fetcher !== null) return found([fetcher, ...args])
  if (launch?.kind !== "missing") {
    const configured = JSON.stringify({ protocol: "acp", registry: name })
    return missing(`It is downloaded when it starts. Allow that by naming it under "agents": ${configured}.`)
  }
  const requirements = launch.requirements.map(({ kind, name }) =>
    kind === "package" ? `npm install -g ${name}` : `the command ${name} on PATH`
  )
  return missing(`It is not installed. It needs ${requirements.join(", and ")}.`)
}

const isCommand = (argv: ReadonlyArray<string>): argv is Command => argv.length > 0

/** acpx itself: the one on PATH, beside which adapters may be installed, else the one beside Troupe. */
export const ofAcpx = (path: string | undefined): Launch => {
  try {
    const file = realpathSync(Executable.find("acpx", path) ?? createRequire(here).resolve("acpx"))
    // Run by this Node, because the one on PATH may be too old for acpx.
    return found(extname(file) === ".js" ? [process.execPath, file] : [file])
  } catch (cause) {
    if (isMissing(cause, "acpx")) return missing(missingPackage("This agent needs", "acpx"))
    return missing(`acpx can't be read (${cause instanceof Error ? cause.message : String(cause)}).`)
  }
}

/**
 * acpx for an agent that is installed. acpx looks for the adapters of claude and codex in the directories above itself,
 * never on PATH, and downloads what it does not find.
 */
export const behindAcpx = (name: string, path: string | undefined): Launch => {
  const acpx = ofAcpx(path)
  const file = acpx._tag === "Found" ? acpx.command.at(-1) : undefined
  if (file === undefined) return acpx
  const [program = name] = argvOf(name)
  if (!fetchers.has(program)) return Executable.find(program, path) === null ? notOnPath(program) : acpx
  if (!acpxFetches(name, file)) return acpx
  const adapter = findBuiltInAgentPackage(resolveAgentCommand(name))?.packageName
  const install = adapter === undefined ? "Allow" : `Install ${adapter} beside acpx, or allow`
  const configured = JSON.stringify({ protocol: "acpx", registry: name })
  return missing(`acpx would download it when it starts. ${install} that by naming it under "agents": ${configured}.`)
}

const fetchers = new Set(["npx", "uvx"])

/** Whether acpx, which is this file, would download this agent of its registry, in the session's directory. */
export const acpxFetches = (name: string, file: string): boolean =>
  fetchers.has(argvOf(name)[0] ?? name) &&
  resolveInstalledBuiltInAgentLaunch(resolveAgentCommand(name), { resolvePackageRoot: packageAbove(file) }) ===
    undefined

const notOnPath = (program: string) => missing(`It is not installed. It needs the command ${program} on PATH.`)

const argvOf = (name: string): ReadonlyArray<string> => {
  const resolved = registry.resolve(name)
  return Array.isArray(resolved) ? resolved : resolved.split(" ")
}

/** Looks for a package as Node does: in every `node_modules` from the file's directory upwards. */
const packageAbove = (file: string) => (packageName: string) => {
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    const root = join(directory, "node_modules", packageName)
    if (existsSync(join(root, "package.json"))) return root
    if (directory === dirname(directory)) return undefined
  }
}

export const ofDemo = (): Launch => {
  const file = ownProgram("demo")
  return existsSync(file)
    ? found([process.execPath, file])
    : missing(
        `Its program ${file} is missing, as where an app is bundled into one file and can't write to ${tmpdir()}. Keep troupe out of the bundle (esbuild: --external:troupe).`
      )
}

/** Programs whose version is not that of what they run. */
const interpreters = new Set([
  "node",
  "npx",
  "npm",
  "bun",
  "bunx",
  "deno",
  "python",
  "python3",
  "uv",
  "uvx",
  "sh",
  "bash",
  "env"
])

/** The file whose version is the agent's; `null`: the command does not show it. */
export const programOf = ([file, script]: Command): string | null => {
  if (!interpreters.has(basename(file)) && file !== process.execPath) return file
  return script !== undefined && existsSync(script) ? script : null
}

/** Whether the command with `--version` asks the agent, and not a program that would start or download one. */
export const answersVersion = ([file]: Command): boolean =>
  !interpreters.has(basename(file)) && file !== process.execPath

/** The version of the installed package that a file belongs to; `null`: it belongs to none. */
export const packageVersion = (file: string): string | null => {
  try {
    let directory = dirname(realpathSync(file))
    while (directory.includes(`${sep}node_modules${sep}`)) {
      const manifest = join(directory, "package.json")
      if (existsSync(manifest)) {
        const { name, version } = JSON.parse(readFileSync(manifest, "utf8")) as { name?: unknown; version?: unknown }
        if (typeof name === "string" && typeof version === "string") return version
      }
      directory = dirname(directory)
    }
    return null
  } catch {
    // An agent without a version is still available.
    return null
  }
}
