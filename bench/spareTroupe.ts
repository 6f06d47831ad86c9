/** A Troupe with real agents, called by its library: the first turn of a new session, and the wake of one that sleeps. */
import { Context, Effect, Layer, Logger, ManagedRuntime, Option, Redacted } from "effect"
import { setTimeout as pause } from "node:timers/promises"
import { AppName } from "../src/domain/Ids.ts"
import { defaultLimits } from "../src/domain/Settings.ts"
import { Sessions } from "../src/services/Sessions.ts"
import { Spares } from "../src/supervision/Spares.ts"
import * as Runtime from "../src/wiring.ts"
import type { RealAgent } from "./rawAgents.ts"
import { serveCalls } from "./worker.ts"

const [dataDir = "", warmSpares = "0", agentsJson = "{}"] = process.argv.slice(2)
const agents = JSON.parse(agentsJson) as Record<RealAgent, { command: [string]; env: Record<string, string> }>

/** Long enough for a turn, and short, because a wake is measured. */
const hibernateAfterMillis = 300
const untilWithinMillis = 60_000

const app = AppName.make("bench")
const caller = { _tag: "App", app } as const
const settings = {
  dataDir,
  limits: { ...defaultLimits, warmSpares: Number(warmSpares), hibernateAfterMillis },
  agents: {
    codex: { protocol: "codex-app-server", ...agents.codex },
    claude: { protocol: "acp", ...agents.claude }
  },
  defaultAgent: "codex",
  run: {}
} as const
const runtime = ManagedRuntime.make(
  Runtime.layer(settings, { adminToken: Option.some(Redacted.make("an-admin-token-for-the-benchmark")) }).pipe(
    Layer.provideMerge(Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)]))
  )
)

const turn = async (id: string) => {
  const sessions = Context.get(await runtime.context(), Sessions)
  const before = performance.now()
  const result = await runtime.runPromise(
    Effect.flatMap(sessions.submit(caller, id, { prompt: "hello" }), ({ result }) => result)
  )
  if (result.turn.status !== "completed")
    throw new Error(`a turn ${result.turn.status}: ${result.turn.failure?.message}`)
  return performance.now() - before
}

const until = async (what: string, holds: () => Promise<boolean>) => {
  for (const end = Date.now() + untilWithinMillis; !(await holds()); await pause(20)) {
    if (Date.now() > end) throw new Error(`${what} did not happen within ${untilWithinMillis / 1000} s`)
  }
}

const calls = {
  /** A new session, whose first turn is measured. */
  first: async ({ agent, cwd }: { readonly agent: RealAgent; readonly cwd: string }) => {
    const sessions = Context.get(await runtime.context(), Sessions)
    const { id } = await runtime.runPromise(sessions.create(app, { agent, cwd }))
    return { id, millis: await turn(id) }
  },
  turn: async ({ id }: { readonly id: string }) => ({ millis: await turn(id) }),
  asleep: async ({ id }: { readonly id: string }) => {
    const sessions = Context.get(await runtime.context(), Sessions)
    await until("the sleep of a session", async () => {
      const { substate } = await runtime.runPromise(sessions.get(caller, id))
      return substate === "idle.asleep"
    })
  },
  /** A spare of the agent waits, where any is wanted. */
  warm: async ({ agent }: { readonly agent: RealAgent }) => {
    const spares = Context.get(await runtime.context(), Spares)
    if (Number(warmSpares) === 0) return
    await until("a spare", async () => spares.views().some((view) => view.agent === agent && view.pid !== null))
    // It may still be warming up itself.
    await pause(1_000)
  },
  close: async ({ id }: { readonly id: string }) => {
    await runtime.runPromise(Context.get(await runtime.context(), Sessions).close(caller, id))
  }
} as const

export type SpareTroupeCalls = typeof calls

serveCalls(calls, () => runtime.dispose())
