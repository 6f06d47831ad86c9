/** How a session's events are put into rows: what the ledger gets of a slow stream, and of many events at once. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { updateMessage } from "../../src/domain/Acp.ts"
import { troupeMessage } from "../../src/domain/events/troupeMessage.ts"
import type { StoredEvent } from "../../src/domain/Session.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { EventRows } from "../../src/session/EventRows.ts"
import { id, opened } from "../ledger/samples.ts"

const said = (seq: number, text: string, turn = 1): StoredEvent => ({
  session: id,
  seq,
  turn,
  at: 1_700_000_000_000 + 50 * seq,
  message: updateMessage("019a4b1c-7f0e-7d52-9c3f-6f1f0e5a7b11", {
    sessionUpdate: "agent_message_chunk",
    content: { type: "text", text },
    messageId: "msg_0a1b2c3d4e5f"
  })
})

const words = (nth: number) => `word ${nth} of many. `.padEnd(20, "…")

describe("the rows of a session's events", () => {
  it.effect("have less than twice the text of a stream of 20 characters at a time, their keys included", () =>
    Effect.gen(function* () {
      const ledger = yield* Ledger
      const rows = new EventRows()
      const events = Array.from({ length: 400 }, (_, nth) => said(nth + 1, words(nth)))
      yield* ledger.write([opened()])
      let bytes = 0
      let count = 0
      for (const event of events) {
        const { entries } = rows.entriesOf([event])
        for (const entry of entries) {
          if (entry._tag !== "EventsAppended") continue
          bytes += Buffer.byteLength((entry.first ?? "") + entry.more)
          // The session, the numbers and the time, in the table and in its index.
          if (entry.first !== null) bytes += 2 * id.length + 40
          if (entry.first !== null) count++
        }
        yield* ledger.write(entries)
      }
      const text = events.reduce((sum, _, nth) => sum + Buffer.byteLength(words(nth)), 0)
      assert.isBelow(bytes / text, 2)
      assert.isBelow(count, 12)
      assert.deepStrictEqual(yield* ledger.events(id, 0, 1_000), events)
      assert.deepStrictEqual(yield* ledger.events(id, 123, 5), events.slice(123, 128))
    }).pipe(Effect.provide(SqliteLedger.layer(":memory:")))
  )

  it("are one for the events of a commit, and no stored one grows beyond its bound", () => {
    const rows = new EventRows()
    const first = rows.entriesOf(Array.from({ length: 100 }, (_, nth) => said(nth + 1, "x".repeat(100 + nth))))
    assert.lengthOf(first.entries, 1)
    assert.isAbove(first.characters, 20_000)
    const [row] = rows.entriesOf([said(101, "one more")]).entries
    assert.isTrue(row?._tag === "EventsAppended" && row.first !== null && row.row === 101)
    const [joined] = rows.entriesOf([said(102, "and one more")]).entries
    assert.isTrue(joined?._tag === "EventsAppended" && joined.first === null && joined.row === 101)
    const [long] = rows.entriesOf([said(103, "z".repeat(2_000))]).entries
    assert.isTrue(long?._tag === "EventsAppended" && long.first !== null)
    const [other] = rows.entriesOf([said(104, "short", 2)]).entries
    assert.isTrue(other?._tag === "EventsAppended" && other.first !== null)
  })

  it("are several where a commit has events of several turns", () => {
    const rows = new EventRows()
    const { entries } = rows.entriesOf([said(1, "a"), said(2, "b"), said(3, "c", 2), said(4, "d")])
    assert.deepStrictEqual(
      entries.map((entry) => (entry._tag === "EventsAppended" ? [entry.row, entry.events.length] : [])),
      [
        [1, 2],
        [3, 1],
        [4, 1]
      ]
    )
  })

  it.effect("have the session's own events among those of the turn, and give each to whom it belongs", () =>
    Effect.gen(function* () {
      const ledger = yield* Ledger
      const rows = new EventRows()
      yield* ledger.write([opened()])
      const state = (seq: number): StoredEvent => ({
        ...said(seq, ""),
        turn: null,
        message: troupeMessage("state", { from: `s${seq}`, to: "idle.awake", event: "turn.ended" })
      })
      const begun = [said(1, "a"), said(2, "„b“ 👋"), state(3), said(4, "c"), state(5)]
      const { entries } = rows.entriesOf(begun)
      assert.lengthOf(entries, 1)
      yield* ledger.write(entries)
      // Of the session alone: no turn may join them, and they join no stored row.
      const between = rows.entriesOf([state(6), state(7)]).entries
      yield* ledger.write(between)
      const more = [said(8, "d"), said(9, "e")]
      yield* ledger.write(rows.entriesOf(more).entries)
      const all = [...begun, state(6), state(7), ...more]
      assert.deepStrictEqual(yield* ledger.events(id, 0, 100), all)
      assert.deepStrictEqual(yield* ledger.events(id, 2, 3), all.slice(2, 5))
      assert.deepStrictEqual(
        yield* ledger.eventsOfTurn(id, 1),
        all.filter(({ turn }) => turn === 1)
      )
    }).pipe(Effect.provide(SqliteLedger.layer(":memory:")))
  )
})
