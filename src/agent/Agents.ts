/**
 * The agents that sessions can use: their drivers, a list of them, and a diagnosis of each.
 *
 * Looking an agent up starts no program; listing starts programs only to ask for their version.
 */
import { Cache, Context, Effect, Layer } from "effect"
import { UnknownAgent } from "../domain/Refusal.ts"
import { startMillisOf } from "../domain/Settings.ts"
import type { AgentsMisconfigured } from "../domain/Settings.ts"
import type { Protocol } from "../domain/Settings.ts"
import { Suspension } from "../domain/Suspension.ts"
import { AgentFailed } from "./Agent.ts"
import type { AgentDriver, SpareSpec } from "./Agent.ts"
import type { Capabilities } from "./Capabilities.ts"
import * as AgentVersion from "./agentVersion.ts"
import * as Catalog from "./Catalog.ts"
import * as Diagnose from "./diagnose.ts"
import type { Launch } from "./Launch.ts"
import { Processes } from "./Processes.ts"
import { protocols } from "./protocols.ts"
import { redactedDriver } from "./redactedDriver.ts"

/** One entry of `GET /agents`. `hint` says what to do where the agent is not available. */
export interface AgentView {
  readonly name: string
  readonly protocol: Protocol
  readonly available: boolean
  readonly version: string | null
  readonly capabilities: Capabilities
  readonly hint: string | null
}

/** An agent that somebody relies on, and that can't be started as it is not installed. `hint` says what to do. */
export interface MissingAgent {
  readonly name: string
  readonly isDefault: boolean
  readonly hint: string
}

/** One agent as `troupe doctor` reports it. `handshake`: `null` where the agent is not available. */
export interface Diagnosis extends AgentView {
  /** The names of set variables that the agent does not get and may need. Never values. */
  readonly heldBack: ReadonlyArray<string>
  /** What will go wrong in turns although the handshake succeeded. */
  readonly problem: string | null
  readonly handshake:
    | {
        readonly ok: true
        readonly millis: number
        /** Lines of its stdout that were no message: how many, and the beginning of the first. */
        readonly malformedLines: number
        readonly firstMalformedLine: string | null
      }
    | { readonly ok: false; readonly message: string }
    | null
}

/** How long a view of an agent and the default agent are cached. */
const cachedFor = "60 seconds"

/** How long it counts which agents are missing: a probe asks again and again, and a look searches the disk. */
const missingFor = "5 seconds"

/** How many programs are asked for their version at once, and how many agents are diagnosed at once. */
const viewsAtOnce = 4
const diagnosesAtOnce = 2

export class Agents extends Context.Service<
  Agents,
  {
    /** The driver of an agent; `null`: of the default agent. That of an agent that is not installed fails at `open`. */
    readonly driver: (name: string | null) => Effect.Effect<AgentDriver, UnknownAgent>
    /** The configured agents and the built-in ones; of `acpx:<name>` those that are installed. At most 60 s old. */
    readonly list: Effect.Effect<ReadonlyArray<AgentView>>
    /** Those of the configured agents and the default one that are not installed; the default is first. */
    readonly missing: Effect.Effect<ReadonlyArray<MissingAgent>>
    /**
     * Starts each available agent once, shakes hands, ends it; no model is called. `null`: all that `list` has. A name
     * that no agent has gives nothing.
     */
    readonly diagnose: (name: string | null) => Effect.Effect<ReadonlyArray<Diagnosis>>
  }
>()("troupe/agent/Agents") {
  /** Fails where the configuration of the agents is invalid. `from` is our own environment. */
  static readonly layer = (
    settings: Catalog.AgentSettings,
    from: Readonly<Record<string, string | undefined>> = process.env
  ): Layer.Layer<Agents, AgentsMisconfigured, Processes> => Layer.effect(Agents, make(settings, from))
}

const make = Effect.fnUntraced(function* (
  settings: Catalog.AgentSettings,
  from: Readonly<Record<string, string | undefined>>
) {
  const processes = yield* Processes
  const suspension = yield* Suspension
  const entries = yield* Catalog.make(settings, from)

  const driverOf = (entry: Catalog.CatalogEntry, launch: Launch) =>
    driverFor(entry, launch).pipe(
      Effect.map((driver): AgentDriver => ({
        ...counting(redactedDriver(driver, entry.secrets)),
        sessionEnv: entry.spec.sessionEnv ?? [],
        ...(entry.preset && { capabilities: entry.preset.capabilities })
      })),
      Effect.provideService(Processes, processes)
    )

  /** The deadlines of its connections do not count time in which Troupe did not run, whoever opens them. */
  const counting = (driver: AgentDriver): AgentDriver => ({
    ...driver,
    open: (request) => Effect.provideService(driver.open(request), Suspension, suspension),
    ...(driver.spare === undefined ? {} : { spare: (wish) => countingStart(driver.spare?.(wish) ?? null) })
  })

  const countingStart = (spec: SpareSpec | null): SpareSpec | null =>
    spec === null
      ? null
      : { ...spec, start: (under) => Effect.provideService(spec.start(under), Suspension, suspension) }

  // Cached, because each new session needs the default, and finding it searches the disk.
  const defaultName = yield* Effect.cachedWithTTL(
    Effect.sync(() => settings.defaultAgent ?? Catalog.defaultOf(entries)),
    cachedFor
  )

  const missing = yield* Effect.cachedWithTTL(
    Effect.map(defaultName, (byDefault) =>
      [...new Set([byDefault, ...Object.keys(settings.agents)])].flatMap((name): ReadonlyArray<MissingAgent> => {
        const launch = entries.get(name)?.locate()
        return launch?._tag === "Missing" ? [{ name, isDefault: name === byDefault, hint: launch.hint }] : []
      })
    ),
    missingFor
  )

  /** The last driver of each agent: all its sessions have the same one, until the agent is found elsewhere. */
  const drivers = new Map<string, { readonly foundAt: string; readonly driver: AgentDriver }>()

  const driver = Effect.fn("Agents.driver")(function* (name: string | null) {
    const agent = name ?? (yield* defaultName)
    const entry = entries.get(agent)
    if (entry === undefined) return yield* new UnknownAgent({ name: agent })
    const launch = entry.locate()
    const foundAt = JSON.stringify(launch)
    const last = drivers.get(agent)
    if (last?.foundAt === foundAt) return last.driver
    const made = yield* driverOf(entry, launch)
    drivers.set(agent, { foundAt, driver: made })
    return made
  })

  const viewOf = Effect.fnUntraced(function* (entry: Catalog.CatalogEntry) {
    const launch = entry.locate()
    const { capabilities } = yield* driverOf(entry, launch)
    const view = { name: entry.name, protocol: entry.spec.protocol, capabilities }
    if (launch._tag === "Missing") return { ...view, available: false, version: null, hint: launch.hint }
    const version = entry.preset?.version ?? (yield* AgentVersion.of(processes, launch.command, entry.env))
    return { ...view, available: true, version, hint: null }
  })

  const views = yield* Cache.make<Catalog.CatalogEntry, AgentView>({
    capacity: entries.size,
    timeToLive: cachedFor,
    lookup: viewOf
  })

  const allEntries = [...entries.values()]
  const list = Effect.forEach(allEntries, (entry) => Cache.get(views, entry), { concurrency: viewsAtOnce }).pipe(
    Effect.map((agents) => agents.filter(({ available, name }) => available || entries.get(name)?.secondary !== true)),
    Effect.withSpan("Agents.list")
  )

  const diagnoseEntry = Effect.fnUntraced(function* (entry: Catalog.CatalogEntry) {
    // A diagnosis usually follows a change of the installation, so the cached view is not used.
    yield* Cache.invalidate(views, entry)
    const view = { ...(yield* Cache.get(views, entry)), heldBack: entry.heldBack, problem: null }
    if (!view.available) return { ...view, handshake: null }
    const result = yield* Effect.result(
      Diagnose.handshake(processes, yield* driverOf(entry, entry.locate()), startMillisOf(entry.spec) ?? 0)
    )
    if (result._tag === "Failure")
      return { ...view, handshake: { ok: false, message: result.failure.message } as const }
    const { capabilities, millis, noise, problem, version } = result.success
    const handshake = { ok: true, millis, malformedLines: noise.count, firstMalformedLine: noise.first } as const
    return { ...view, capabilities, version: version ?? view.version, handshake, problem }
  })

  const diagnose = Effect.fn("Agents.diagnose")(function* (name: string | null) {
    const selected =
      name === null
        ? allEntries.filter(({ locate, secondary }) => !secondary || locate()._tag === "Found")
        : allEntries.filter((entry) => entry.name === name)
    return yield* Effect.forEach(selected, diagnoseEntry, { concurrency: diagnosesAtOnce })
  })

  return Agents.of({ driver, list, missing, diagnose })
})

const driverFor = (entry: Catalog.CatalogEntry, launch: Launch): Effect.Effect<AgentDriver, never, Processes> => {
  const { env, name, secrets, spec } = entry
  if (launch._tag === "Missing") {
    return Effect.map(driverFor(entry, { _tag: "Found", command: [name] }), (driver) => ({
      ...driver,
      open: () => Effect.fail(new AgentFailed({ class: "config", message: `${name} can't be started. ${launch.hint}` }))
    }))
  }
  return protocols[spec.protocol].make({ name, command: launch.command, env, secrets }, spec)
}
