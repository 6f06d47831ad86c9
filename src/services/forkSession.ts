/** Forks a session: a new one of the same agent, whose conversation begins as a copy of this one's. */
import { Effect, Option } from "effect"
import { Agents } from "../agent/Agents.ts"
import { InvalidRequest, NotSupported, TurnInProgress, TurnNotFound } from "../domain/Refusal.ts"
import type { ForkSession, SessionRecord } from "../domain/Session.ts"
import type { TurnRecord } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { KeyedRequest } from "../ledger/Ledger.ts"
import * as CreateSession from "./createSession.ts"

/** Whether a session can be forked after one of its turns, where its agent can be forked at all. */
export const canForkAfter = (
  { threadId, turnCount }: Pick<SessionRecord, "threadId" | "turnCount">,
  turn: Pick<TurnRecord, "agentTurnId" | "endedAt" | "index" | "threadId">
): boolean =>
  threadId !== null &&
  turn.endedAt !== null &&
  turn.threadId === threadId &&
  (turn.index === turnCount || turn.agentTurnId !== null)

export const make = Effect.gen(function* () {
  const agents = yield* Agents
  const createSession = yield* CreateSession.make
  const ledger = yield* Ledger

  /** The agent's id of the last turn that is copied; `null`: all are. */
  const lastTurnOf = Effect.fnUntraced(function* (source: SessionRecord, index: number | undefined) {
    if (index === undefined) return null
    const row = yield* ledger.turn(source.id, index)
    if (Option.isNone(row)) return yield* new TurnNotFound({ index })
    const { agentTurnId, endedAt, threadId } = row.value
    if (endedAt === null) return yield* new TurnInProgress({ id: source.id, turn: index })
    if (threadId !== source.threadId) {
      const problem = `is a turn of an earlier conversation: the agent lost it before the session's later turns.`
      return yield* new InvalidRequest({ field: "turn_index", problem })
    }
    if (index === source.turnCount) return null
    if (agentTurnId === null) {
      const problem = `${source.agent} can be forked after its last turn only. Leave turn_index out.`
      return yield* new NotSupported({ problem })
    }
    return agentTurnId
  })

  return Effect.fnUntraced(function* (source: SessionRecord, request: ForkSession, by: string, keyed?: KeyedRequest) {
    const { agent, app, cwd, id, ownsCwd, setup, threadId } = source
    const { capabilities } = yield* agents.driver(agent)
    if (!capabilities.fork) {
      return yield* new NotSupported({ problem: `${agent} can't fork a conversation (capabilities.fork).` })
    }
    if (threadId === null || source.lastTurnAt === null) {
      const problem = "The session's agent has said nothing yet, so there is no conversation to fork. Create a session."
      return yield* new NotSupported({ problem })
    }
    if (source.state === "turning") return yield* new TurnInProgress({ id, turn: source.turnCount })
    const agentTurnId = yield* lastTurnOf(source, request.turnIndex)
    const { effort = source.effort, meta = source.meta, mode = source.mode, model = source.model } = request
    const { fork: _, ...inherited } = setup
    const wanted = {
      ...inherited,
      agent,
      cwd: ownsCwd ? undefined : cwd,
      effort: effort ?? undefined,
      meta,
      mode: mode ?? undefined,
      model: model ?? undefined,
      permissions: request.permissions ?? source.permissions,
      systemPrompt: source.systemPrompt ?? undefined
    }
    const origin = { fork: { threadId, agentTurnId }, copied: ownsCwd ? cwd : undefined, by }
    return yield* createSession(app, wanted, keyed, origin)
  })
})
