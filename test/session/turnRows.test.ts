/** The rows of open turns are those that the ledger has. */
import { assert, it } from "@effect/vitest"
import { TurnRows } from "../../src/session/TurnRows.ts"
import type { LedgerWrite } from "../../src/ledger/Ledger.ts"
import { id, turn } from "../ledger/samples.ts"

const open = turn({ index: 3, endedAt: null, status: "queued" })
const patched = (
  index: number,
  patch: Extract<LedgerWrite, { readonly _tag: "TurnPatched" }>["patch"]
): LedgerWrite => ({
  _tag: "TurnPatched",
  session: id,
  index,
  patch
})

it("gives the row of a turn, with all that was written to it, with its outcome and no more then", () => {
  const rows = new TurnRows()
  assert.deepStrictEqual(rows.stored([{ _tag: "TurnInserted", record: open }]), [])
  assert.deepStrictEqual(rows.stored([patched(3, { status: "running", contextLost: true })]), [])
  assert.deepStrictEqual(rows.stored([patched(3, { agentTurnId: "t_3" })]), [])
  const outcome = { status: "completed", endedAt: 9, stopReason: "end_turn", threadId: "other" } as const
  const expected = { ...open, contextLost: true, agentTurnId: "t_3", ...outcome }
  assert.deepStrictEqual(rows.stored([patched(3, outcome)]), [expected])
  assert.deepStrictEqual(rows.stored([patched(3, { toolIterations: 4 })]), [])
})

it("knows nothing of a turn that was accepted before, and ends several in one commit", () => {
  const rows = new TurnRows()
  const ends = { status: "failed", endedAt: 9 } as const
  assert.deepStrictEqual(rows.stored([patched(1, ends)]), [])
  const second = turn({ index: 4, endedAt: null })
  rows.stored([
    { _tag: "TurnInserted", record: open },
    { _tag: "TurnInserted", record: second }
  ])
  const found = rows.stored([patched(3, ends), patched(4, ends)])
  assert.deepStrictEqual(found, [
    { ...open, ...ends },
    { ...second, ...ends }
  ])
})
