/**
 * The names that agents go by, and what each means: the configured ones first, then the ones that need no file.
 *
 * A specification that can't work is refused here, at the start, by the key that is wrong. Whether an agent is there is
 * asked each time, since people install things; nothing is started to find out.
 */
import { Effect, Schema } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import type { AgentSpec, Settings } from "../domain/Settings.ts"
import type { Capabilities } from "./Agent.ts"
import { version } from "./demo/version.ts"
import * as Environment from "./Environment.ts"
import * as Launch from "./Launch.ts"

/** The configuration of the agents can't work. `key` is the one to change. */
export class AgentsMisconfigured extends Schema.TaggedError<AgentsMisconfigured>()("AgentsMisconfigured", {
  key: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.key} ${this.problem}`
  }
}

export interface Entry {
  readonly name: string
  readonly protocol: AgentSpec["protocol"]
  /** The child's whole environment, marker excepted. */
  readonly env: Readonly<Record<string, string>>
  /** Which agent acpx talks to; `null` for the other protocols. */
  readonly behindAcpx: string | null
  readonly locate: () => Launch.Launch
  /** Listed only where it is there: a second way to agents that are listed already. */
  readonly secondary: boolean
  /** Known without looking. `null`: its package or `--version` tells, and its protocol. */
  readonly known: { readonly version: string; readonly capabilities: Capabilities } | null
}

export type AgentSettings = Pick<Settings, "agents" | "defaultAgent" | "dataDir">

type Source = Readonly<Record<string, string | undefined>>

export const make = Effect.fnUntraced(function* (settings: AgentSettings, from: Source) {
  const entries = new Map<string, Entry>()
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
  return entries as ReadonlyMap<string, Entry>
})

/** The first that is there, when nobody has said which; `demo` always is. */
export const defaultOf = (entries: ReadonlyMap<string, Entry>): string =>
  ["codex", "claude"].find((name) => entries.get(name)?.locate()._tag === "Found") ?? "demo"

// ---- configured

const configured = Effect.fnUntraced(function* (name: string, spec: AgentSpec, from: Source) {
  const wrong = wrongWith(spec)
  if (!/^\S{1,64}$/.test(name)) {
    const problem = "is no name for an agent: a name has 1 to 64 characters and no blanks."
    return yield* new AgentsMisconfigured({ key: `agents[${JSON.stringify(name)}]`, problem })
  }
  if (wrong !== null) return yield* new AgentsMisconfigured({ ...wrong, key: `agents.${name}${wrong.key}` })
  const env = { ...Environment.forChild(spec.protocol, from, spec), ...demoKnobs(spec) }
  const entry: Entry = {
    name,
    protocol: spec.protocol,
    env,
    behindAcpx: spec.protocol === "acpx" ? (spec.registry ?? null) : null,
    locate: () => locate(name, spec, env["PATH"]),
    secondary: false,
    known: null
  }
  return entry
})

const locate = (name: string, { command, protocol, registry }: AgentSpec, path: string | undefined): Launch.Launch => {
  if (command !== undefined) return Launch.ofCommand(command, path, `agents.${name}.command`)
  switch (protocol) {
    case "codex-app-server":
      return Launch.ofCodex(path)
    case "acpx":
      return Launch.ofAcpx(path)
    case "acp":
      // Who names it may have it fetched.
      return Launch.ofRegistry(registry ?? name, path, { mayFetch: true })
    default:
      return protocol satisfies never
  }
}

const wrongWith = ({ command, env, inheritEnv, protocol, registry }: AgentSpec) => {
  const known = `one of ${Launch.registered.join(", ")}`
  if (registry !== undefined && protocol === "codex-app-server") {
    return {
      key: ".registry",
      problem: `is for acp and acpx only. Say what to start with "command", or leave both out.`
    }
  }
  if (registry !== undefined && !Launch.registered.includes(registry)) {
    return {
      key: ".registry",
      problem: `is ${JSON.stringify(registry)}, which acpx's registry does not know: it takes ${known}.`
    }
  }
  if (protocol === "acpx" && registry === undefined) {
    return { key: ".registry", problem: `is missing: it says which agent acpx is to talk to, ${known}.` }
  }
  if (protocol === "acp" && (command === undefined) === (registry === undefined)) {
    return {
      key: "",
      problem: `takes either "command" (such as ["claude-agent-acp"]) or "registry" (such as "gemini").`
    }
  }
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

const builtIn = (demoState: string, from: Source): ReadonlyArray<Entry> => {
  const envOf = (kind: Environment.Kind) => Environment.forChild(kind, from, {})
  const [acp, acpx, codex] = [envOf("acp"), envOf("acpx"), envOf("codex-app-server")]
  const direct = { behindAcpx: null, secondary: false, known: null }
  const asIs = { mayFetch: false }
  return [
    { ...direct, name: "codex", protocol: "codex-app-server", env: codex, locate: () => Launch.ofCodex(codex["PATH"]) },
    {
      ...direct,
      name: "demo",
      protocol: "acp",
      env: { ...envOf("demo"), TROUPE_DEMO_STATE: demoState },
      locate: Launch.ofDemo,
      known: { version, capabilities: { resume: true, steer: true, compact: false, images: false } }
    },
    ...Launch.registered.flatMap((name): ReadonlyArray<Entry> => {
      const locate = () => Launch.ofRegistry(name, acp["PATH"], asIs)
      return [
        { ...direct, name, protocol: "acp", env: acp, locate },
        {
          name: `acpx:${name}`,
          protocol: "acpx",
          env: acpx,
          behindAcpx: name,
          secondary: true,
          known: null,
          locate: () => Launch.behindAcpx(name, acpx["PATH"])
        }
      ]
    })
  ]
}

/** Where the demo agent keeps its sessions; with a ledger in memory a temporary directory, gone when we are. */
const demoState = (dataDir: string) =>
  dataDir !== ":memory:"
    ? Effect.succeed(join(resolve(dataDir), "demo"))
    : Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-demo-"))),
        (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
      )
