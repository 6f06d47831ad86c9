/**
 * Which agents there are: the configured ones, the built-in ones, and what was found on this machine.
 *
 * Looking them up starts nothing but, for the list, programs that are asked for their version.
 */
import { Cache, Context, Effect, Layer } from "effect"
import { UnknownAgent } from "../domain/Refusal.ts"
import type { AgentsMisconfigured } from "../domain/Settings.ts"
import type { Protocol } from "../domain/Settings.ts"
import { AgentFailed } from "./Agent.ts"
import type { AgentDriver, Capabilities } from "./Agent.ts"
import * as AgentVersion from "./agentVersion.ts"
import * as Catalog from "./Catalog.ts"
import * as Diagnose from "./diagnose.ts"
import type { Launch } from "./Launch.ts"
import { Processes } from "./Processes.ts"
import { protocols } from "./protocols.ts"

/** One line of `GET /agents`. `hint` says the one thing to do where it is not available. */
export interface AgentView {
  readonly name: string
  readonly protocol: Protocol
  readonly available: boolean
  readonly version: string | null
  readonly capabilities: Capabilities
  readonly hint: string | null
}

/** What `troupe doctor` prints of one agent: found, version, handshake, and what to do. */
export interface Diagnosis extends AgentView {
  readonly handshake:
    | { readonly ok: true; readonly millis: number }
    | { readonly ok: false; readonly message: string }
    | null
}

/** What was seen of an agent is seen again after this long. */
const viewFor = "60 seconds"

/** Programs that are asked for their version at once, and agents that are tried out at once. */
const askedAtOnce = 4
const triedAtOnce = 2

export class Agents extends Context.Service<
  Agents,
  {
    /** The driver of a name; `null` = the default agent. One that is not installed fails when it is opened. */
    readonly driver: (name: string | null) => Effect.Effect<AgentDriver, UnknownAgent>
    /** The configured ones and the built-in ones; of `acpx:<name>` those that are there. At most 60 s old. */
    readonly list: Effect.Effect<ReadonlyArray<AgentView>>
    /**
     * Starts each available agent once, shakes hands, ends it; no model is called. `null`: all that `list` has; a name
     * that no agent has gives nothing.
     */
    readonly diagnose: (name: string | null) => Effect.Effect<ReadonlyArray<Diagnosis>>
  }
>()("troupe/agent/Agents") {
  /** Fails where the configuration of the agents can't work. `from` is our own environment. */
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
  const entries = yield* Catalog.make(settings, from)

  const driverOf = (entry: Catalog.CatalogEntry, launch: Launch) =>
    driverFor(entry, launch).pipe(
      Effect.map((driver): AgentDriver => ({
        ...driver,
        ...(entry.preset && { capabilities: entry.preset.capabilities })
      })),
      Effect.provideService(Processes, processes)
    )

  // A new session asks for the default each time, and the answer is a walk over the disk.
  const defaultName = yield* Effect.cachedWithTTL(
    Effect.sync(() => settings.defaultAgent ?? Catalog.defaultOf(entries)),
    viewFor
  )

  const driver = Effect.fn("Agents.driver")(function* (name: string | null) {
    const wanted = name ?? (yield* defaultName)
    const entry = entries.get(wanted)
    return entry === undefined ? yield* new UnknownAgent({ name: wanted }) : yield* driverOf(entry, entry.locate())
  })

  const look = Effect.fnUntraced(function* (entry: Catalog.CatalogEntry) {
    const launch = entry.locate()
    const { capabilities } = yield* driverOf(entry, launch)
    const view = { name: entry.name, protocol: entry.spec.protocol, capabilities }
    if (launch._tag === "Missing") return { ...view, available: false, version: null, hint: launch.hint }
    const version = entry.preset?.version ?? (yield* AgentVersion.of(processes, launch.command, entry.env))
    return { ...view, available: true, version, hint: null }
  })

  const views = yield* Cache.make<Catalog.CatalogEntry, AgentView>({
    capacity: entries.size,
    timeToLive: viewFor,
    lookup: look
  })

  const everybody = [...entries.values()]
  const list = Effect.forEach(everybody, (entry) => Cache.get(views, entry), { concurrency: askedAtOnce }).pipe(
    Effect.map((all) => all.filter(({ available, name }) => available || entries.get(name)?.secondary !== true)),
    Effect.withSpan("Agents.list")
  )

  const tryOut = Effect.fnUntraced(function* (entry: Catalog.CatalogEntry) {
    // Who asks a doctor has just changed something, so what was seen before does not count.
    yield* Cache.invalidate(views, entry)
    const view = yield* Cache.get(views, entry)
    if (!view.available) return { ...view, handshake: null }
    const tried = yield* Effect.result(Diagnose.handshake(processes, yield* driverOf(entry, entry.locate())))
    if (tried._tag === "Failure") return { ...view, handshake: { ok: false, message: tried.failure.message } as const }
    const { capabilities, millis, version } = tried.success
    return { ...view, capabilities, version: version ?? view.version, handshake: { ok: true, millis } as const }
  })

  const diagnose = Effect.fn("Agents.diagnose")(function* (name: string | null) {
    const named = name === null ? everybody : [entries.get(name)]
    const wanted = named.filter((entry) => entry !== undefined)
    const shown =
      name === null ? wanted.filter(({ locate, secondary }) => !secondary || locate()._tag === "Found") : wanted
    return yield* Effect.forEach(shown, tryOut, { concurrency: triedAtOnce })
  })

  return Agents.of({ driver, list, diagnose })
})

const driverFor = (entry: Catalog.CatalogEntry, launch: Launch): Effect.Effect<AgentDriver, never, Processes> => {
  const { env, name, spec } = entry
  if (launch._tag === "Missing") {
    return Effect.map(driverFor(entry, { _tag: "Found", command: [name] }), (driver) => ({
      ...driver,
      open: () => Effect.fail(new AgentFailed({ class: "config", message: `${name} can't be started. ${launch.hint}` }))
    }))
  }
  return protocols[spec.protocol].make({ name, command: launch.command, env }, spec)
}
