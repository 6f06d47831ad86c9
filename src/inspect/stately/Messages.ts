/**
 * A session in the messages of Stately's inspection protocol: an actor with its machine, then for each step its event and
 * the snapshot after it.
 *
 * An inspector identifies a session by the session's own id, which stays through sleep, wake and restarts; XState's ids
 * begin anew with each process. The messages contain what the ledger keeps of a step: numbers and names, no prompt and no
 * answer.
 */
import { sessionMachine } from "../../../machines/session/machine.ts"
import type { SessionSnapshot } from "../../../machines/session/machine.ts"
import type { ObservedStep } from "../../services/Inspection.ts"
import type { SessionRecord } from "../../domain/Session.ts"

/** The version of `@statelyai/inspect` whose messages these are; inspectors check that there is one. */
const version = "0.7.2"

export interface Messages {
  /** Introduces a session to the inspector, in its present state. */
  readonly actor: (record: SessionRecord, snapshot: SessionSnapshot, at: number) => string
  /** The step's event, then the snapshot after it. */
  readonly step: (step: ObservedStep) => readonly [event: string, snapshot: string]
}

export const make = (): Messages => {
  // With names and without code, as in `troupe machines --format json`. It has no bounds in it, so it is that of the running machine.
  const definition = JSON.stringify(sessionMachine.config)
  /** Serialized once for all inspectors. */
  const serialized = new WeakMap<ObservedStep, readonly [string, string]>()

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
    step: (step) => {
      const cached = serialized.get(step)
      if (cached !== undefined) return cached
      const { at, event, record, seq, snapshot } = step
      const common = {
        sessionId: record.id,
        rootId: record.id,
        id: `${record.id} ${seq}`,
        createdAt: String(at),
        event,
        _version: version
      }
      const messages = [
        JSON.stringify({ type: "@xstate.event", ...common }),
        JSON.stringify({ type: "@xstate.snapshot", ...common, snapshot: shape(snapshot) })
      ] as const
      serialized.set(step, messages)
      return messages
    }
  }
}
