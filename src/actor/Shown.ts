/**
 * An XState actor's logic that transitions purely and executes nothing.
 *
 * It is sent each event after its commit, so `subscribe`, `getSnapshot`, `waitFor` and inspectors see what is stored.
 */
import { initialTransition } from "xstate"
import type { ActorLogic, SnapshotFrom } from "xstate"
import { transition } from "../../machines/decision.ts"
import type { SessionEvent, SessionMachine, SessionSnapshot } from "../../machines/session.ts"

export const shown = (machine: SessionMachine): ActorLogic<SessionSnapshot, SessionEvent> => ({
  transition: (snapshot, event) => transition(machine, snapshot, event)[0],
  getInitialSnapshot: () => initialTransition(machine)[0],
  getPersistedSnapshot: (snapshot) => machine.getPersistedSnapshot(snapshot),
  restoreSnapshot: (persisted) => machine.resolveState(persisted as never) as SnapshotFrom<SessionMachine>
})
