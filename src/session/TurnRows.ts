/** The rows of the turns that are open, from what their actor has written: what was just written is not read back. */
import type { TurnRecord } from "../domain/Turn.ts"
import type { LedgerWrite } from "../ledger/Ledger.ts"

export class TurnRows {
  /** Of the turns that were accepted since the actor runs. */
  readonly #open = new Map<number, TurnRecord>()

  /** To be called with what is stored, in its order. Returns the rows that have got their outcome with it. */
  stored(entries: ReadonlyArray<LedgerWrite>): ReadonlyArray<TurnRecord> {
    const ended: Array<TurnRecord> = []
    for (const entry of entries) {
      if (entry._tag === "TurnInserted") this.#open.set(entry.record.index, entry.record)
      if (entry._tag !== "TurnPatched") continue
      const before = this.#open.get(entry.index)
      if (before === undefined) continue
      const row = { ...before, ...entry.patch }
      if (row.endedAt === null) this.#open.set(row.index, row)
      else {
        this.#open.delete(row.index)
        ended.push(row)
      }
    }
    return ended
  }
}
