/**
 * The services that run sessions, on top of a ledger, agents and settings.
 *
 * Building the layer includes the recovery from a supervisor that died: when it is built, nothing of that supervisor is
 * left running, and every turn that it left has its outcome.
 */
import { Effect, Layer } from "effect"
import { SessionActorRefs } from "./SessionActorRefs.ts"
import * as AgentCommandHandler from "../supervision/AgentCommandHandler.ts"
import { adoptOrphans, recover } from "../supervision/recovery.ts"
import type { CommandHandler } from "../session/CommandHandler.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { CircuitBreaker } from "../supervision/CircuitBreaker.ts"
import { Operator } from "./Operator.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import { tellLoad } from "../supervision/tellLoad.ts"
import * as SessionsLayer from "./SessionsLayer.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import { Moves } from "../cluster/Moves.ts"
import * as FileCopies from "../cluster/fileCopies.ts"
import { LocalSessions } from "../cluster/LocalSessions.ts"
import { Nodes } from "../cluster/Nodes.ts"
import * as RoutedSessionHost from "../cluster/routedSessionHost.ts"
import { Spares } from "../supervision/Spares.ts"
import { Supervisor } from "../supervision/Supervisor.ts"
import { Sweeper } from "./Sweeper.ts"

/**
 * Another command handler can take the place of real agents, as in tests that turn the clock, and another host that of the
 * actors of this process.
 */
export const layerWith = <E, R>(
  commandHandler: Layer.Layer<CommandHandler, E, R>,
  host: typeof RoutedSessionHost.layer = RoutedSessionHost.layer
) =>
  Layer.mergeAll(SessionsLayer.layer, Operator.layer, SessionActorRefs.layer).pipe(
    Layer.provideMerge(Layer.merge(Sweeper.layer, Moves.layer)),
    Layer.provideMerge(Nodes.layer),
    Layer.provideMerge(host),
    Layer.provideMerge(LocalSessions.layer),
    Layer.provideMerge(Layer.effectDiscard(Effect.all([tellLoad, recover, adoptOrphans]))),
    Layer.provideMerge(Supervisor.layer),
    Layer.provideMerge(commandHandler),
    Layer.provideMerge(FileCopies.layer),
    Layer.provideMerge(Spares.layer),
    Layer.provideMerge(ThisNode.layer),
    Layer.provideMerge(Layer.mergeAll(ProcessSlots.layer, DrainState.layer, CircuitBreaker.layer))
  )

export const layer = layerWith(AgentCommandHandler.layer)
