/** Looks at what this process alone knows of sessions. */
import { Effect } from "effect"
import { Processes } from "../agent/Processes.ts"
import type { SessionId } from "../domain/Ids.ts"
import { SessionShared } from "../runtime/SessionShared.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { CommandHandler } from "../session/CommandHandler.ts"
import type { Looked } from "./Looked.ts"
import type { SessionMessages } from "./sessionMessages.ts"
import { Supervisor } from "./Supervisor.ts"

export const make = Effect.gen(function* () {
  const commandHandler = yield* CommandHandler
  const processes = yield* Processes
  const { refusedEvents } = yield* SessionShared
  const supervisor = yield* Supervisor
  const { isAlone, name } = yield* ThisNode

  const actorOf = (session: SessionId) => {
    const loaded = supervisor.view(session)
    if (loaded === null) return null
    const timers = supervisor.timers(session)
    const unstored = timers?.unstored().map(({ event: { type }, ...timer }) => ({ ...timer, event: { type } })) ?? []
    return {
      step: loaded.seq,
      state: loaded.record.substate,
      since: loaded.since,
      timers: { next: timers?.next() ?? null, unstored }
    }
  }

  return ({ parts, sessions }: SessionMessages["look"]["request"]["Type"]) =>
    Effect.forEach(
      sessions,
      Effect.fnUntraced(function* (session) {
        const lease = commandHandler.lease(session)
        const pid = commandHandler.pid(session)
        const seen: Looked = {
          _tag: "Seen",
          session,
          actor: actorOf(session),
          pid,
          ...(isAlone || pid === null ? {} : { node: name }),
          lease,
          configured: commandHandler.configured(session),
          choices: commandHandler.choices(session),
          use: commandHandler.use(session),
          exceeded: commandHandler.exceeded(session),
          refused: refusedEvents.of(session),
          vitals: lease !== null && parts.includes("vitals") ? yield* processes.vitals(lease) : null,
          tree: lease !== null && parts.includes("tree") ? yield* processes.tree(lease) : []
        }
        return seen
      })
    )
})
