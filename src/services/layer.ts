/**
 * The room as a whole: given a ledger, agents and settings, the doors that an app comes in by.
 *
 * Boot is part of it: who has these doors in hand has a house in which nothing of a dead supervisor is left running and
 * every turn that it left has its outcome.
 */
import { Layer } from "effect"
import { ActorRefs } from "./SessionActorRefs.ts"
import * as AgentHands from "../supervision/AgentCommandHandler.ts"
import { boot } from "../supervision/recovery.ts"
import type { Hands } from "../session/CommandHandler.ts"
import { Lifecycle } from "../runtime/Draining.ts"
import * as Operations from "./Operator.ts"
import { Pool } from "../runtime/ProcessSlots.ts"
import * as SessionDoor from "./SessionsLayer.ts"
import { Supervisor } from "../supervision/Supervisor.ts"
import { Sweeper } from "./Sweeper.ts"

/** The hands can be others, as in tests that turn the clock. */
export const layerWith = <E, R>(hands: Layer.Layer<Hands, E, R>) =>
  Layer.mergeAll(SessionDoor.layer, Operations.layer, ActorRefs.layer).pipe(
    Layer.provideMerge(Sweeper.layer),
    Layer.provideMerge(Layer.effectDiscard(boot)),
    Layer.provideMerge(Supervisor.layer),
    Layer.provideMerge(hands),
    Layer.provideMerge(Layer.merge(Pool.layer, Lifecycle.layer))
  )

export const layer = layerWith(AgentHands.layer)
