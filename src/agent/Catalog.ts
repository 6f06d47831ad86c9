/**
 * The catalog of agents by name: the configured ones, then the built-in ones.
 *
 * An invalid specification is refused here, when Troupe starts, with the setting that is wrong. Whether an agent is
 * installed is looked up each time, because that changes; no program is started for it.
 */
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { isAbsolute, join, resolve } from "node:path"
import { AgentsMisconfigured } from "../domain/Settings.ts"
import type { AgentSpec, Settings } from "../domain/Settings.ts"
import { beforeHandshake } from "./acp/abilities.ts"
import type { Capabilities } from "./Capabilities.ts"
import { version } from "./demo/version.ts"
import * as Environment from "./environment.ts"
import * as Launch from "./Launch.ts"
import * as Needs from "./needs.ts"
import { protocols } from "./protocols.ts"
import type { SpecProblem } from "./protocols.ts"

export interface CatalogEntry {
  readonly name: string
  readonly spec: AgentSpec
  /** The child's whole environment but for the marker. */
  readonly env: Readonly<Record<string, string>>
  /** The values in it that must not be shown (`secretsOf`). */
  readonly secrets: ReadonlyArray<string>
  /** The names of variables of ours that it does not get and may need (`heldBack`). */
  readonly heldBack: ReadonlyArray<string>
  readonly locate: () => Launch.Launch
  /** Listed only where it is installed: a second way to an agent that is listed already. */
  readonly secondary: boolean
  /** Set where version and capabilities need no lookup. */
  readonly preset: { readonly version: string; readonly capabilities: Capabilities } | null
}

export type Catalog = ReadonlyMap<string, CatalogEntry>

export type AgentSettings = Pick<Settings, "agents" | "defaultAgent" | "dataDir">

type Source = Readonly<Record<string, string | undefined>>

export const make = Effect.fnUntraced(function* (settings: AgentSettings, from: Source) {
  const entries = new Map<string, CatalogEntry>()
  for (const [name, spec] of Object.entries(settings.agents)) entries.set(name, yield* configured(name, spec, from))
  for (const entry of builtIn(yield* demoState(settings.dataDir), from)) {
    if (!entries.has(entry.name)) entries.set(entry.name, entry)
  }
  const { defaultAgent } = settings
  if (defaultAgent !== null && !entries.has(defaultAgent)) {
    const names = [...entries.values()].flatMap(({ name, secondary }) => (secondary ? [] : [name])).join(", ")
    const problem = `is ${JSON.stringify(defaultAgent)}, and no agent has that name: there are ${names}, and acpx:<name>.`
    return yield* new AgentsMisconfigured({ key: "defaultAgent", problem })
  }
  return entries as Catalog
})

/** The default agent where none is configured: the first that is installed. `demo` always is. */
export const defaultOf = (entries: Catalog): string =>
  ["codex", "claude"].find((name) => entries.get(name)?.locate()._tag === "Found") ?? "demo"

// ---- configured

const configured = Effect.fnUntraced(function* (name: string, spec: AgentSpec, from: Source) {
  if (!/^\S{1,64}$/.test(name)) {
    const problem = "is no name for an agent: a name has 1 to 64 characters and no blanks."
    return yield* new AgentsMisconfigured({ key: `agents[${JSON.stringify(name)}]`, problem })
  }
  const invalid = problemIn(spec)
  if (invalid !== null) return yield* new AgentsMisconfigured({ ...invalid, key: `agents.${name}${invalid.key}` })
  const env = { ...Environment.forChild(protocols[spec.protocol].needs(spec), from, spec), ...demoVariables(spec) }
  const path = Environment.searchPath(from, spec, env)
  const entry: CatalogEntry = {
    name,
    spec,
    env,
    secrets: Environment.secretsOfChild(env, spec),
    heldBack: Environment.heldBack(env, from),
    locate: () => locate(name, spec, path),
    secondary: false,
    preset: null
  }
  return entry
})

const locate = (name: string, spec: AgentSpec, path: string | undefined): Launch.Launch =>
  spec.command === undefined
    ? protocols[spec.protocol].locate({ name, spec, path, mayFetch: true })
    : Launch.ofCommand(spec.command, path, `agents.${name}.command`)

const problemIn = (spec: AgentSpec): SpecProblem | null => {
  const { env, inheritEnv, protocol, sessionEnv, trustedRoots } = spec
  const invalid = protocols[protocol].validate(spec)
  if (invalid !== null) return invalid
  const relative = trustedRoots?.find((root) => !isAbsolute(root))
  if (relative !== undefined) {
    return { key: ".trustedRoots", problem: `names ${JSON.stringify(relative)}: it takes absolute directories.` }
  }
  for (const [key, names] of [
    [".env", Object.keys(env ?? {})],
    [".inheritEnv", inheritEnv ?? []],
    [".sessionEnv", sessionEnv ?? []]
  ] as const) {
    const unusable = names.find((name) => name === "" || /[=\0]/.test(name))
    if (unusable !== undefined) {
      return { key, problem: `names ${JSON.stringify(unusable)}, which no variable can be called.` }
    }
    if (names.includes("*")) {
      return { key, problem: `names "*", which is every variable: name those it needs, such as AWS_*.` }
    }
    const reserved = names.find(
      (name) => name.startsWith("TROUPE_") && !(key === ".env" && name.startsWith(demoPrefix))
    )
    if (reserved !== undefined) {
      return { key, problem: `names ${reserved}: variables of Troupe's own never go to a child.` }
    }
  }
  return null
}

/** The prefix of the demo agent's own variables (see demo/main.ts), none of which is a secret. */
const demoPrefix = "TROUPE_DEMO_"

const demoVariables = ({ env }: Pick<AgentSpec, "env">) =>
  Object.fromEntries(Object.entries(env ?? {}).filter(([name]) => name.startsWith(demoPrefix)))

// ---- built in

/** The agents that need no configuration. Of two with one name the first counts. */
const builtInAgents: ReadonlyArray<Pick<CatalogEntry, "name" | "spec" | "secondary">> = [
  { name: "codex", spec: { protocol: "codex-app-server" }, secondary: false },
  { name: "demo", spec: { protocol: "acp" }, secondary: false },
  ...Launch.registered.flatMap((registry): ReadonlyArray<Pick<CatalogEntry, "name" | "spec" | "secondary">> => [
    { name: registry, spec: { protocol: "acp", registry }, secondary: false },
    { name: `acpx:${registry}`, spec: { protocol: "acpx", registry }, secondary: true }
  ])
]

/**
 * The environment of an agent whose program spends the OpenAI account that is in it; `null` for every other agent, and
 * for an unknown name.
 */
export const openAiEnvironment = (name: string, agents: AgentSettings["agents"], from: Source) => {
  const spec = agents[name] ?? builtInAgents.find((agent) => agent.name === name)?.spec
  return spec !== undefined && protocols[spec.protocol].usesOpenAiAccount
    ? Environment.forChild(protocols[spec.protocol].needs(spec), from, spec)
    : null
}

/** The values that must not be shown of an agent: those in its environment. Of an unknown name: none. */
export const secretsOf = (name: string, agents: AgentSettings["agents"], from: Source): ReadonlyArray<string> => {
  const spec = agents[name] ?? builtInAgents.find((agent) => agent.name === name)?.spec
  if (spec === undefined) return []
  return Environment.secretsOfChild(Environment.forChild(protocols[spec.protocol].needs(spec), from, spec), spec)
}

const builtIn = (demoState: string, from: Source): ReadonlyArray<CatalogEntry> =>
  builtInAgents.map(({ name, secondary, spec }): CatalogEntry => {
    if (name === "demo") {
      const env = { ...Environment.forChild(Needs.noAccount, from, {}), TROUPE_DEMO_STATE: demoState }
      return {
        name,
        spec,
        secondary,
        env,
        secrets: Environment.secretsOfChild(env, {}),
        // It needs none.
        heldBack: [],
        locate: Launch.ofDemo,
        preset: { version, capabilities: beforeHandshake("demo") }
      }
    }
    const env = Environment.forChild(protocols[spec.protocol].needs(spec), from, {})
    const path = Environment.searchPath(from, {}, env)
    const locate = () => protocols[spec.protocol].locate({ name, spec, path, mayFetch: false })
    const secrets = Environment.secretsOfChild(env, {})
    return { name, spec, secondary, env, secrets, heldBack: Environment.heldBack(env, from), locate, preset: null }
  })

/** The directory of the demo agent's sessions. With a ledger in memory it is temporary, and removed with the scope. */
const demoState = (dataDir: string) =>
  dataDir !== ":memory:"
    ? Effect.succeed(join(resolve(dataDir), "demo"))
    : Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-demo-"))),
        (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
      )
