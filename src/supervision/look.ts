/** Looks at what this process alone knows of sessions. */
import { Clock, Effect } from "effect"
import { Processes } from "../agent/Processes.ts"
import type { SessionId } from "../domain/Ids.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import { SessionShared } from "../runtime/SessionShared.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import { CircuitBreaker } from "./CircuitBreaker.ts"
import type { Looked } from "./Looked.ts"
import type { SessionMessages } from "./sessionMessages.ts"
import { Supervisor } from "./Supervisor.ts"

export const make = Effect.gen(function* () {
  const breaker = yield* CircuitBreaker
  const clock = yield* Clock.Clock
  const commandHandler = yield* CommandHandler
  const processes = yield* Processes
  const { refusedEvents, silences } = yield* SessionShared
  const slots = yield* ProcessSlots
  const supervisor = yield* Supervisor
  const { isAlone, name } = yield* ThisNode

  const actorOf = (session: SessionId) => {
    const loaded = supervisor.view(session)
    if (loaded === null) return null
    const timers = supervisor.timers(session)
    const unstored = timers?.unstored().map(({ event: { type }, ...timer }) => ({ ...timer, event: { type } })) ?? []
    const watch = supervisor.watch(session)
    return {
      step: loaded.seq,
      state: loaded.record.substate,
      since: loaded.since,
      timers: { next: timers?.next() ?? null, unstored },
      tools: watch?.tools() ?? [],
      heardAt: watch?.heardAt() ?? null
    }
  }

  /** What is known of its agent by the agent's name. */
  const ofAgent = (session: SessionId) => {
    const agent = supervisor.view(session)?.record.agent
    if (agent === undefined) return {}
    const circuit = breaker.open(clock.currentTimeMillisUnsafe()).find((open) => open.agent === agent)
    const usualSilence = silences.usual(agent)
    return {
      ...(circuit === undefined ? {} : { circuit: { until: circuit.until, reason: circuit.reason } }),
      ...(usualSilence === null ? {} : { usualSilence })
    }
  }

  return ({ parts, sessions }: SessionMessages["look"]["request"]["Type"]) =>
    Effect.forEach(
      sessions,
      Effect.fnUntraced(function* (session) {
        const lease = commandHandler.lease(session)
        const pid = commandHandler.pid(session)
        const line = slots.line(session)
        const seen: Looked = {
          _tag: "Seen",
          session,
          actor: actorOf(session),
          ...ofAgent(session),
          ...(line === null ? {} : { line }),
          pid,
          ...(isAlone || pid === null ? {} : { node: name }),
          lease,
          configured: commandHandler.configured(session),
          choices: commandHandler.choices(session),
          use: commandHandler.use(session),
          exceeded: commandHandler.exceeded(session),
          refused: refusedEvents.of(session),
          vitals: lease !== null && parts.includes("vitals") ? yield* processes.vitals(lease) : null,
          tree: lease !== null && parts.includes("tree") ? yield* processes.tree(lease) : [],
          ...(parts.includes("tree") ? { samples: commandHandler.samples(session) } : {})
        }
        return seen
      })
    )
})
