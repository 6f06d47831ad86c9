/** The conversations that an agent has on this machine, ours or not: what a session can be created to go on with. */
import { Context, Effect, Layer } from "effect"
import type { FileSystem, Path } from "effect"
import { AgentFailed } from "../agent/Agent.ts"
import type { ThreadPage, ThreadQuery } from "../agent/threadList.ts"
import { Agents } from "../agent/Agents.ts"
import { Processes } from "../agent/Processes.ts"
import { newLeaseId, SessionId } from "../domain/Ids.ts"
import { NotSupported } from "../domain/Refusal.ts"
import type { NotAllowed, UnknownAgent, Unavailable } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { Caller } from "../runtime/Caller.ts"
import * as CheckAppBounds from "../runtime/checkAppBounds.ts"
import { cannot } from "../runtime/errors.ts"

export type { ThreadPage, ThreadQuery, ThreadSummary } from "../agent/threadList.ts"

/** The start of an agent, and its answer. */
const withinMillis = 60_000

export class Threads extends Context.Service<
  Threads,
  {
    /**
     * Newest first. Starts a process of the agent's for as long as it takes. An app sees none that another app's session
     * has or had; one with bounds on its directories has to name one of them.
     */
    readonly list: (
      caller: Caller,
      agent: string,
      query: ThreadQuery
    ) => Effect.Effect<ThreadPage, UnknownAgent | NotAllowed | NotSupported | Unavailable>
  }
>()("troupe/services/Threads") {
  static readonly layer: Layer.Layer<Threads, never, Agents | Ledger | Processes | FileSystem.FileSystem | Path.Path> =
    Layer.effect(
      Threads,
      Effect.suspend(() => make)
    )
}

const make = Effect.gen(function* () {
  const agents = yield* Agents
  const checkAppBounds = yield* CheckAppBounds.make
  const ledger = yield* Ledger
  const processes = yield* Processes

  const list = Effect.fn("Threads.list")(function* (caller: Caller, agent: string, query: ThreadQuery) {
    const driver = yield* agents.driver(agent)
    if (caller._tag === "App") {
      const { cwd } = query
      yield* checkAppBounds(caller.app, { agent: driver.name, ...(cwd === null ? { anyDirectory: true } : { cwd }) })
    }
    const { threads } = driver
    if (threads === undefined) {
      return yield* new NotSupported({ problem: `${agent} does not list its conversations (capabilities.threads).` })
    }
    const lease = newLeaseId("threads-")
    const page = yield* Effect.scoped(
      threads({ session: SessionId.make(lease), lease, spawned: () => Effect.void }, query)
    ).pipe(
      Effect.timeoutOrElse({
        duration: withinMillis,
        orElse: () =>
          Effect.fail(
            new AgentFailed({ class: "timeout", message: `${agent} listed nothing within ${withinMillis / 1000} s.` })
          )
      }),
      Effect.ensuring(processes.sweep(lease)),
      Effect.catchTag("AgentFailed", ({ message }) => Effect.fail(new NotSupported({ problem: message })))
    )
    if (caller._tag === "Admin") return page
    const visible = yield* Effect.filter(page.threads, ({ id }) =>
      Effect.map(ledger.sessionsOfThread(id), (owners) => owners.every(({ app }) => app === caller.app))
    )
    return { ...page, threads: visible }
  }, cannot("list the agent's conversations"))

  return Threads.of({ list })
})
