/**
 * What a session does, in the words of Stately's inspection protocol: an actor with its machine, then an event and the
 * snapshot that came of it, for each step.
 *
 * An inspector knows a session by its own id, which it has through sleep, wake and restarts; XState's ids begin anew
 * with each process. What is told is what the ledger keeps of a step: numbers and names, no prompt and no answer.
 */
import { sessionMachine } from "../../../machines/session/machine.ts"
import type { SessionSnapshot } from "../../../machines/session/machine.ts"
import type { Committed } from "../../services/Inspection.ts"
import type { SessionRecord } from "../../domain/Session.ts"

/** The version of `@statelyai/inspect` whose messages these are; inspectors look whether there is one. */
const version = "0.7.2"

export interface Messages {
  /** A session that the inspector has not heard of, where it stands. */
  readonly actor: (record: SessionRecord, snapshot: SessionSnapshot, at: number) => string
  /** The step's event, then the snapshot after it. */
  readonly step: (stored: Committed) => readonly [event: string, snapshot: string]
}

export const make = (): Messages => {
  // Names stay and code goes, as in `troupe machines --format json`. No bound is in it, so it is the running machine's.
  const definition = JSON.stringify(sessionMachine.config)
  /** Written once for all who look. */
  const written = new WeakMap<Committed, readonly [string, string]>()

  const shape = (snapshot: SessionSnapshot) => {
    const { children: _, ...persisted } = sessionMachine.getPersistedSnapshot(snapshot) as {
      readonly children?: unknown
    }
    return persisted
  }

  return {
    actor: (record, snapshot, at) =>
      JSON.stringify({
        type: "@xstate.actor",
        name: `${record.agent} ${record.id}`,
        sessionId: record.id,
        rootId: record.id,
        id: record.id,
        createdAt: String(at),
        definition,
        snapshot: shape(snapshot),
        _version: version
      }),
    step: (stored) => {
      const known = written.get(stored)
      if (known !== undefined) return known
      const { at, event, record, seq, snapshot } = stored
      const common = {
        sessionId: record.id,
        rootId: record.id,
        id: `${record.id} ${seq}`,
        createdAt: String(at),
        event,
        _version: version
      }
      const both = [
        JSON.stringify({ type: "@xstate.event", ...common }),
        JSON.stringify({ type: "@xstate.snapshot", ...common, snapshot: shape(snapshot) })
      ] as const
      written.set(stored, both)
      return both
    }
  }
}
