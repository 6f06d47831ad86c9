/**
 * Performs what committed steps owe to the world, and ticks it off in the ledger.
 *
 * A command that was not ticked off is performed again by the next actor, unless it may happen at most once: such a
 * command is claimed before it is performed, by the commit that decides it, or by one of its own where it was held back then.
 */
import { Cause, Deferred, Effect } from "effect"
import type { SessionCommand } from "../../machines/session/machine.ts"
import { stateInfo, stateName } from "../../machines/session/stateInfo.ts"
import type { LedgerError, OutboxCommand } from "../ledger/Ledger.ts"
import { DrainState } from "../runtime/DrainState.ts"
import type { ClaimedWrites } from "./ClaimedWrites.ts"
import { CommandHandler } from "./CommandHandler.ts"
import type { SessionPort } from "./CommandHandler.ts"
import type { CommittedStep } from "./commit.ts"
import type { Session } from "./Session.ts"

/** What brings a turn to an agent. A runtime that drains begins none of it. */
const begins: ReadonlySet<SessionCommand["type"]> = new Set(["takeSlot", "startProcess", "handPrompt"])

export interface Outbox {
  /** Performs what the step queued: in the background, so that a slow agent never keeps the mailbox waiting. */
  readonly react: (committed: CommittedStep) => Effect.Effect<void>
  /** Performs what an earlier actor left. */
  readonly resume: (commands: ReadonlyArray<OutboxCommand>) => Effect.Effect<void>
  /** Nothing is being performed: an actor that ended before would cut it off. */
  readonly isIdle: () => boolean
}

/**
 * Whether a command is of no use any more: the session went on before it was performed, or while it lay in the outbox of
 * a Troupe that was stopped.
 */
const isOver = ({ openTurn, snapshot }: Session, command: SessionCommand): boolean => {
  const { waitsFor } = stateInfo[stateName(snapshot)]
  switch (command.type) {
    case "takeSlot":
      return waitsFor !== "slot" && waitsFor !== "agentReturn"
    case "startProcess":
      return !snapshot.context.process || snapshot.context.generation !== command.params.generation
    case "handPrompt":
      return openTurn !== command.params.turn
    default:
      return false
  }
}

type Performed = CommittedStep["outbox"][number]

/** `fault` fails when a command could not be claimed or died of a defect; `onIdle` is called when the last one is done. */
export const make = Effect.fnUntraced(function* (
  session: Session,
  port: SessionPort,
  writes: ClaimedWrites,
  fault: Deferred.Deferred<never, LedgerError>,
  onIdle: () => void
) {
  const commandHandler = yield* CommandHandler
  const scope = yield* Effect.scope
  const { id } = session.record
  const drainState = yield* DrainState
  const done = (step: number, nth: number) => writes.writeLater([{ _tag: "CommandDone", session: id, step, nth }])

  let performing = 0
  const dispatch = (step: number, entry: Performed) =>
    Effect.suspend(() => {
      performing++
      return Effect.forkIn(perform(step, entry), scope)
    })

  const performed = Effect.sync(() => {
    performing--
    if (performing === 0) onIdle()
  })
  const perform = Effect.fnUntraced(
    function* (step: number, { claimed, command, nth, once }: Performed) {
      // It stays in the outbox: another node, or the next start of Troupe, goes on with the turn that it is for.
      if (!claimed && begins.has(command.type) && drainState.holdsBack(id)) return drainState.holdBack(id)
      if (once && !claimed) yield* writes.write([{ _tag: "CommandClaimed", session: id, step, nth }])
      // The turn may have ended meanwhile, and its session may have another process by now.
      if (!isOver(session, command)) yield* commandHandler.perform(port, command)
      if (!claimed) yield* done(step, nth)
    },
    Effect.catchCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.void : Deferred.failCause(fault, cause))),
    Effect.ensuring(performed)
  )

  const outbox: Outbox = {
    react: ({ outbox, seq }) => Effect.forEach(outbox, (entry) => dispatch(seq, entry), { discard: true }),
    resume: (commands) =>
      Effect.gen(function* () {
        for (const { claimed, nth, once, params, step, type } of commands) {
          // Claimed, and not ticked off before the crash: it may have happened, so it is over.
          if (once && claimed) yield* done(step, nth)
          else yield* dispatch(step, { nth, command: { type, params } as SessionCommand, once, claimed: false })
        }
      }),
    isIdle: () => performing === 0
  }
  return outbox
})
