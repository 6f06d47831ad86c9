/**
 * The names that agents go by, and what each means: the configured ones first, then the ones that need no file.
 *
 * A specification that can't work is refused here, at the start, by the key that is wrong. Whether an agent is there is
 * asked each time, since people install things; nothing is started to find out.
 */
import { Effect, Record } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { AgentsMisconfigured } from "../domain/Settings.ts"
import type { AgentSpec, Settings } from "../domain/Settings.ts"
import type { Capabilities } from "./Agent.ts"
import { version } from "./demo/version.ts"
import * as Environment from "./environment.ts"
import * as Launch from "./Launch.ts"
import { protocols } from "./protocols.ts"
import type { SpecProblem } from "./protocols.ts"

export interface CatalogEntry {
  readonly name: string
  readonly spec: AgentSpec
  /** The child's whole environment, marker excepted. */
  readonly env: Readonly<Record<string, string>>
  readonly locate: () => Launch.Launch
  /** Listed only where it is there: a second way to agents that are listed already. */
  readonly secondary: boolean
  /** Known without looking. `null`: its package or `--version` tells, and its protocol. */
  readonly preset: { readonly version: string; readonly capabilities: Capabilities } | null
}

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
    const known = [...entries.values()].flatMap(({ name, secondary }) => (secondary ? [] : [name])).join(", ")
    const problem = `is ${JSON.stringify(defaultAgent)}, and no agent has that name: there are ${known}, and acpx:<name>.`
    return yield* new AgentsMisconfigured({ key: "defaultAgent", problem })
  }
  return entries as ReadonlyMap<string, CatalogEntry>
})

/** The first that is there, when nobody has said which; `demo` always is. */
export const defaultOf = (entries: ReadonlyMap<string, CatalogEntry>): string =>
  ["codex", "claude"].find((name) => entries.get(name)?.locate()._tag === "Found") ?? "demo"

// ---- configured

const configured = Effect.fnUntraced(function* (name: string, spec: AgentSpec, from: Source) {
  const wrong = problemIn(spec)
  if (!/^\S{1,64}$/.test(name)) {
    const problem = "is no name for an agent: a name has 1 to 64 characters and no blanks."
    return yield* new AgentsMisconfigured({ key: `agents[${JSON.stringify(name)}]`, problem })
  }
  if (wrong !== null) return yield* new AgentsMisconfigured({ ...wrong, key: `agents.${name}${wrong.key}` })
  const env = { ...Environment.forChild(protocols[spec.protocol].env, from, spec), ...demoKnobs(spec) }
  const entry: CatalogEntry = {
    name,
    spec,
    env,
    locate: () => locate(name, spec, env["PATH"]),
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
  const { env, inheritEnv, protocol } = spec
  const wrong = protocols[protocol].validate(spec)
  if (wrong !== null) return wrong
  for (const [key, names] of [
    [".env", Object.keys(env ?? {})],
    [".inheritEnv", inheritEnv ?? []]
  ] as const) {
    const unusable = names.find((one) => one === "" || /[=\0]/.test(one))
    if (unusable !== undefined)
      return { key, problem: `names ${JSON.stringify(unusable)}, which no variable can be called.` }
    const ours = names.find((one) => one.startsWith("TROUPE_") && !(key === ".env" && one.startsWith(knobs)))
    if (ours !== undefined) return { key, problem: `names ${ours}: variables of Troupe's own never go to a child.` }
  }
  return null
}

/** What the demo agent is told by its environment (see demo/main.ts). Nothing in it is a secret of ours. */
const knobs = "TROUPE_DEMO_"

const demoKnobs = ({ env }: Pick<AgentSpec, "env">) =>
  Object.fromEntries(Object.entries(env ?? {}).filter(([name]) => name.startsWith(knobs)))

// ---- built in

/** The agents that need no configuration, as if they had been configured. Of two with one name the first counts. */
const builtInAgents: ReadonlyArray<Pick<CatalogEntry, "name" | "spec" | "secondary">> = [
  { name: "codex", spec: { protocol: "codex-app-server" }, secondary: false },
  { name: "demo", spec: { protocol: "acp" }, secondary: false },
  ...Launch.registered.flatMap((registry): ReadonlyArray<Pick<CatalogEntry, "name" | "spec" | "secondary">> => [
    { name: registry, spec: { protocol: "acp", registry }, secondary: false },
    { name: `acpx:${registry}`, spec: { protocol: "acpx", registry }, secondary: true }
  ])
]

/**
 * The environment of an agent whose program spends the OpenAI account that it finds there; `null` for every other agent,
 * and for a name that no agent has.
 */
export const openAiEnvironment = (name: string, agents: AgentSettings["agents"], from: Source) => {
  const spec = agents[name] ?? builtInAgents.find((agent) => agent.name === name)?.spec
  const protocol = spec && protocols[spec.protocol]
  return protocol?.usesOpenAiAccount === true ? Environment.forChild(protocol.env, from, spec ?? {}) : null
}

const builtIn = (demoState: string, from: Source): ReadonlyArray<CatalogEntry> => {
  const envOf = Record.map(protocols, ({ env }) => Environment.forChild(env, from, {}))
  return builtInAgents.map(({ name, secondary, spec }): CatalogEntry => {
    if (name === "demo") {
      return {
        name,
        spec,
        secondary,
        env: { ...Environment.forChild(Environment.noAccount, from, {}), TROUPE_DEMO_STATE: demoState },
        locate: Launch.ofDemo,
        preset: { version, capabilities: { resume: true, steer: true, compact: false, images: false } }
      }
    }
    const env = envOf[spec.protocol]
    const locate = () => protocols[spec.protocol].locate({ name, spec, path: env["PATH"], mayFetch: false })
    return { name, spec, secondary, env, locate, preset: null }
  })
}

/** Where the demo agent keeps its sessions; with a ledger in memory a temporary directory, gone when we are. */
const demoState = (dataDir: string) =>
  dataDir !== ":memory:"
    ? Effect.succeed(join(resolve(dataDir), "demo"))
    : Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-demo-"))),
        (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
      )
