/** A whole runtime with an agent whose processes tell of themselves, and a look at its spares. */
import { assert } from "@effect/vitest"
import { Context, Effect, Logger, ManagedRuntime, Option, Redacted } from "effect"
import { Layer } from "effect"
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { AppName } from "../../src/domain/Ids.ts"
import type { CreateSession } from "../../src/domain/Session.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import type { AgentSpec, Limits } from "../../src/domain/Settings.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { CircuitBreaker } from "../../src/supervision/CircuitBreaker.ts"
import { Operator } from "../../src/services/Operator.ts"
import { Sessions } from "../../src/services/Sessions.ts"
import { ProcessSlots } from "../../src/runtime/ProcessSlots.ts"
import { Spares } from "../../src/supervision/Spares.ts"
import * as Runtime from "../../src/wiring.ts"
import { isAlive } from "../agent/child.ts"
import { untilTrue } from "./hostileAgent.ts"

const program = new URL("../fixtures/agents/spares/claude-agent-acp.mjs", import.meta.url).pathname

/** One thing that happened to a process of the agent. */
export interface Happened {
  readonly what: "started" | "session/new" | "session/resume" | "prompt"
  readonly pid: number
  readonly cwd: string
  readonly lease?: string
  readonly secret?: string | null
  readonly text?: string
}

export interface Wishes {
  readonly limits?: Partial<Limits>
  readonly agent?: Partial<AgentSpec>
  /** The name by which it is started. */
  readonly program?: string
}

export type Scene = Awaited<ReturnType<typeof open>>

let scenes = 0

const open = async (home: string, { agent = {}, limits = {}, program: file = "claude-agent-acp.mjs" }: Wishes) => {
  const log = join(home, "log")
  const copy = join(home, file)
  if (!existsSync(copy)) writeFileSync(copy, readFileSync(program))
  // The metrics are those of the whole process.
  const name = `agent-${process.pid}-${++scenes}`
  const settings = {
    dataDir: join(home, "data"),
    limits: { ...defaultLimits, ...limits },
    agents: { [name]: { protocol: "acp", command: [process.execPath, copy, log], ...agent } },
    defaultAgent: name,
    run: {}
  } as const
  const runtime = ManagedRuntime.make(
    Runtime.layer(settings, { adminToken: Option.some(Redacted.make("an-admin-token-of-this-test")) }).pipe(
      Layer.provideMerge(Logger.layer([]))
    )
  )
  const services = await runtime.context()
  const app = AppName.make("mine")
  const sessions = Context.get(services, Sessions)
  const spares = Context.get(services, Spares)
  const slots = Context.get(services, ProcessSlots)
  const happened = (): ReadonlyArray<Happened> =>
    existsSync(log)
      ? readFileSync(log, "utf8")
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => JSON.parse(line) as Happened)
      : []
  const starts = () => happened().filter(({ what }) => what === "started")
  /** The pid of the process that answered, and the directory of its session. */
  const turn = (id: string, prompt = "hello") =>
    runtime.runPromise(
      Effect.flatMap(sessions.submit({ _tag: "App", app }, id, { prompt }), ({ result }) => result).pipe(
        Effect.map(({ finalText, turn: { failure, status } }) =>
          status === "completed"
            ? (JSON.parse(finalText) as { readonly pid: number; readonly directory: string })
            : { pid: null, directory: failure?.class ?? status }
        )
      )
    )
  const waiting = () => spares.views().flatMap(({ pid }) => (pid === null ? [] : [pid]))
  return {
    home,
    copy,
    runtime,
    slots,
    spares,
    happened,
    starts,
    turn,
    breaker: Context.get(services, CircuitBreaker),
    create: async (request: CreateSession = {}) => (await runtime.runPromise(sessions.create(app, request))).id,
    close: (id: string) => runtime.runPromise(sessions.close({ _tag: "App", app }, id)),
    leases: () => runtime.runPromise(Context.get(services, Ledger).leases),
    drain: () => runtime.runPromise(Context.get(services, Operator).drain(0)),
    /** Of this agent. */
    metric: async (metric: string, label = "") =>
      (await runtime.runPromise(Context.get(services, Operator).metrics))
        .split("\n")
        .filter((line) => line.startsWith(metric) && line.includes(`agent="${name}"`) && line.includes(label))
        .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0),
    order: (word: string) => appendFileSync(`${log}.orders`, `${word}\n`),
    waiting,
    /** A spare is up; its pid. */
    warm: async (count = 1) => {
      await untilTrue(`${count} spares`, () => spares.views().length === count && waiting().length === count)
      return waiting()[0] ?? 0
    },
    directory: (name: string) => {
      const path = join(home, name)
      mkdirSync(path, { recursive: true })
      return path
    }
  }
}

/** After the test no process of it is left, whatever became of it. */
export const withSpares = async (wishes: Wishes, body: (scene: Scene) => Promise<void>) => {
  const home = mkdtempSync(join(tmpdir(), "troupe-spares-"))
  try {
    const scene = await open(home, wishes)
    try {
      await body(scene)
    } finally {
      await scene.runtime.dispose()
    }
    const left = scene.starts().filter(({ pid }) => isAlive(pid))
    assert.deepStrictEqual(left, [], "a process is left")
    assert.deepStrictEqual(
      readdirSync("/proc").filter((pid) => isOf(pid, home)),
      [],
      "a process is left"
    )
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  }
}

const isOf = (pid: string, home: string) => {
  try {
    return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(home)
  } catch {
    return false
  }
}
