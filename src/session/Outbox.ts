/**
 * Performs what committed steps owe to the world, and ticks it off in the ledger.
 *
 * A command that was not ticked off is performed again by the next actor, unless it may happen at most once: such a
 * command is claimed before it is performed, by the commit that decides it, or by one of its own where it was held back then.
 */
import { Cause, Effect } from "effect"
import type { Scope } from "effect"
import type { SessionCommand } from "../../machines/session/machine.ts"
import { stateInfo, stateName } from "../../machines/session/stateInfo.ts"
import type { OutboxCommand } from "../ledger/Ledger.ts"
import { DrainState } from "../runtime/DrainState.ts"
import { CommandHandler } from "./CommandHandler.ts"
import type { SessionPort } from "./CommandHandler.ts"
import type { CommittedStep } from "./commit.ts"
import type { Fault } from "./Fault.ts"
import type { Reacting } from "./reactions.ts"
import type { Session } from "./Session.ts"

/** What brings a turn to an agent. A runtime that drains begins none of it. */
const begins: ReadonlySet<SessionCommand["type"]> = new Set(["takeSlot", "startProcess", "handPrompt"])

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

interface Services {
  readonly commandHandler: CommandHandler["Service"]
  readonly drainState: DrainState["Service"]
  readonly scope: Scope.Scope
}

/** What a session's outbox works on and for. */
interface Around {
  readonly session: Session
  readonly port: SessionPort
  /** Gets it when a command could not be claimed or died of a defect. */
  readonly fault: Fault
  /** Called when the last command is done. */
  readonly onIdle: () => void
}

export class Outbox implements Reacting {
  readonly #around: Around
  readonly #services: Services
  #performing = 0

  constructor(around: Around, services: Services) {
    this.#around = around
    this.#services = services
  }

  /** Performs what the step queued: in the background, so that a slow agent never keeps the mailbox waiting. */
  react({ outbox, seq }: CommittedStep): Effect.Effect<void> {
    return Effect.forEach(outbox, (entry) => this.#dispatch(seq, entry), { discard: true })
  }

  /** Performs what an earlier actor left. */
  resume(commands: ReadonlyArray<OutboxCommand>): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      for (const { claimed, nth, once, params, step, type } of commands) {
        // Claimed, and not ticked off before the crash: it may have happened, so it is over.
        if (once && claimed) yield* this.#done(step, nth)
        else yield* this.#dispatch(step, { nth, command: { type, params } as SessionCommand, once, claimed: false })
      }
    })
  }

  /** Nothing is being performed: an actor that ended before would cut it off. */
  isIdle(): boolean {
    return this.#performing === 0
  }

  #dispatch(step: number, entry: Performed) {
    return Effect.suspend(() => {
      this.#performing++
      return Effect.forkIn(Outbox.#perform(this, step, entry), this.#services.scope)
    })
  }

  static readonly #perform = Effect.fnUntraced(
    function* (self: Outbox, step: number, { claimed, command, nth, once }: Performed) {
      const { commandHandler, drainState } = self.#services
      const { port, session } = self.#around
      const { id } = session.record
      // It stays in the outbox: another node, or the next start of Troupe, goes on with the turn that it is for.
      if (!claimed && begins.has(command.type) && drainState.holdsBack(id)) return drainState.holdBack(id)
      if (once && !claimed) yield* port.writes.write([{ _tag: "CommandClaimed", session: id, step, nth }])
      // The turn may have ended meanwhile, and its session may have another process by now.
      if (!isOver(session, command)) yield* commandHandler.perform(port, command)
      if (!claimed) yield* self.#done(step, nth)
    },
    (performing, self) =>
      Effect.catchCause(performing, (cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.sync(() => self.#around.fault.fail(cause))
      ),
    (performing, self) =>
      Effect.ensuring(
        performing,
        Effect.sync(() => self.#performed())
      )
  )

  #performed(): void {
    this.#performing--
    if (this.#performing === 0) this.#around.onIdle()
  }

  #done(step: number, nth: number): Effect.Effect<void> {
    const { port, session } = this.#around
    return port.writes.writeLater([{ _tag: "CommandDone", session: session.record.id, step, nth }])
  }
}

export const make = Effect.fnUntraced(function* (around: Around) {
  const services = {
    commandHandler: yield* CommandHandler,
    drainState: yield* DrainState,
    scope: yield* Effect.scope
  }
  return new Outbox(around, services)
})
