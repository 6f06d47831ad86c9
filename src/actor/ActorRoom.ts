/**
 * The room as a whole: given a ledger, agents and settings, the doors that an app comes in by.
 *
 * Boot is part of it: who has these doors in hand has a house in which nothing of a dead supervisor is left running and
 * every turn that it left has its outcome.
 */
import { Layer } from "effect"
import { ActorRefs } from "./ActorRefs.ts"
import * as AgentHands from "./AgentHands.ts"
import { boot } from "./Boot.ts"
import type { Hands } from "./Hands.ts"
import { Lifecycle } from "./Lifecycle.ts"
import * as Operations from "./Operations.ts"
import { Pool } from "./Pool.ts"
import * as SessionDoor from "./SessionDoor.ts"
import { Supervisor } from "./Supervisor.ts"
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
