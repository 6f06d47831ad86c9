/**
 * The room as a whole: given a ledger, agents and settings, the doors that an app comes in by.
 *
 * Boot is part of it: who has these doors in hand has a house in which nothing of a dead supervisor is left running and
 * every turn that it left has its outcome.
 */
import { Layer } from "effect"
import { SessionActorRefs } from "./SessionActorRefs.ts"
import * as AgentHands from "../supervision/AgentCommandHandler.ts"
import { recover } from "../supervision/recovery.ts"
import type { CommandHandler } from "../session/CommandHandler.ts"
import { DrainState } from "../runtime/DrainState.ts"
import * as Operations from "./Operator.ts"
import { ProcessSlots } from "../runtime/ProcessSlots.ts"
import * as SessionDoor from "./SessionsLayer.ts"
import { Supervisor } from "../supervision/Supervisor.ts"
import { Sweeper } from "./Sweeper.ts"

/** The hands can be others, as in tests that turn the clock. */
export const layerWith = <E, R>(commandHandler: Layer.Layer<CommandHandler, E, R>) =>
  Layer.mergeAll(SessionDoor.layer, Operations.layer, SessionActorRefs.layer).pipe(
    Layer.provideMerge(Sweeper.layer),
    Layer.provideMerge(Layer.effectDiscard(recover)),
    Layer.provideMerge(Supervisor.layer),
    Layer.provideMerge(commandHandler),
    Layer.provideMerge(Layer.merge(ProcessSlots.layer, DrainState.layer))
  )

export const layer = layerWith(AgentHands.layer)
