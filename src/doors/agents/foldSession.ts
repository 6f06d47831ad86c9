/** A session's stored events as those of the SDK's stream: its turns', and what the session itself does meanwhile. Pure. */
import type { StreamedEvent } from "../../domain/events/StreamedMessage.ts"
import { foldTurn } from "./foldTurn.ts"
import type { TurnFold } from "./foldTurn.ts"
import { actionOf } from "./requiredActions.ts"
import type { RequiredAction, SessionStatus, UnnamedEvent } from "./sdk.ts"
import { statusOf } from "./shapes.ts"

/** The session has another status, or waits for something else. Its reader is told with the whole session. */
export interface StatusChange {
  readonly type: "status"
  readonly status: SessionStatus
  readonly actions: ReadonlyArray<RequiredAction>
}

export interface SessionFold {
  readonly take: (event: StreamedEvent) => ReadonlyArray<UnnamedEvent | StatusChange>
  /** The earliest turn that is open; `null`: none is. */
  readonly earliestOpen: () => number | null
}

export const foldSession = (session: string, agent: string): SessionFold => {
  const turns = new Map<number, TurnFold>()
  let told: StatusChange = { type: "status", status: "idle", actions: [] }

  const statusNow = (): StatusChange => {
    const actions = [...turns.values()].flatMap((turn) => turn.asked().map((asked) => actionOf(session, asked)))
    const isOpen = [...turns.values()].some((turn) => turn.isOpen())
    return { type: "status", status: statusOf(isOpen, actions), actions }
  }

  const change = (): ReadonlyArray<StatusChange> => {
    const now = statusNow()
    if (sameStatus(now, told)) return []
    told = now
    return [now]
  }

  return {
    take: (event) => {
      const { turn: index } = event
      if (index === null) return []
      const turn = turns.get(index) ?? foldTurn({ session, turn: index }, agent)
      turns.set(index, turn)
      const events = turn.take(event)
      const changed = change()
      // Nothing that comes later is of a turn that is over.
      if (!turn.isOpen()) turns.delete(index)
      return [...events, ...changed]
    },
    earliestOpen: () => turns.keys().reduce<number | null>((least, index) => Math.min(least ?? index, index), null)
  }
}

const sameStatus = (a: StatusChange, b: StatusChange): boolean =>
  a.status === b.status &&
  a.actions.length === b.actions.length &&
  a.actions.every((action, nth) => keyOf(action) === keyOf(b.actions[nth]!))

const keyOf = (action: RequiredAction): string => ("call_id" in action ? action.call_id : action.type)
