/** A session as the ledger has it, for observers of one that another Troupe works on. */
import { Effect, Option } from "effect"
import { restore } from "../../machines/session/machine.ts"
import type { SessionSnapshot } from "../../machines/session/machine.ts"
import type { SessionId } from "../domain/Ids.ts"
import { Unavailable } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { LedgerError, StepRecord } from "../ledger/Ledger.ts"
import { SessionShared } from "../runtime/SessionShared.ts"

export interface StoredPicture {
  readonly record: SessionRecord
  readonly snapshot: SessionSnapshot
  /** The last one; `null` where there is none. The snapshot may already be that of the next, of which news come too. */
  readonly step: StepRecord | null
}

/** The last step of a session; `null` where there is none. */
export const lastStepOf = Effect.fnUntraced(function* (ledger: Ledger["Service"], id: SessionId) {
  const seq = yield* ledger.lastStep(id)
  if (seq === 0) return null
  const [step] = yield* ledger.steps(id, seq - 1, 1)
  return step ?? null
})

/** `null` where there is no such session. */
export const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const { machine } = yield* SessionShared

  return Effect.fnUntraced(function* (
    id: SessionId
  ): Effect.fn.Return<StoredPicture | null, LedgerError | Unavailable> {
    const step = yield* lastStepOf(ledger, id)
    const record = yield* ledger.session(id)
    const stored = yield* ledger.snapshot(id)
    if (Option.isNone(record) || stored === null) return null
    const snapshot = yield* Effect.try({
      try: () => restore(machine, stored),
      catch: (cause) => new Unavailable({ operation: "look at the session", cause })
    })
    return { record: record.value, snapshot, step }
  })
})
