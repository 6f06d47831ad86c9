/** What is kept of the news for a turn's result: all of a turn that began meanwhile, and its row, or nothing. */
import { assert, it } from "@effect/vitest"
import { HeardTurns } from "../../src/supervision/HeardTurns.ts"
import type { Committed, SessionNews } from "../../src/runtime/News.ts"
import { updateMessage } from "../../src/domain/Acp.ts"
import type { StoredEvent } from "../../src/domain/Session.ts"
import type { TurnRecord } from "../../src/domain/Turn.ts"
import { event, id, turn } from "../ledger/samples.ts"

const news = (events: ReadonlyArray<StoredEvent>, submitted: number | null = null, characters = 10): SessionNews => ({
  session: id,
  step: 1,
  event: 1,
  stepped: submitted !== null,
  settled: [],
  closed: false,
  stored: {
    events,
    characters,
    step: submitted === null ? null : step({ type: "turn.submitted", turn: submitted })
  }
})

const step = (event: object, ended: ReadonlyArray<TurnRecord> = []) => ({ event, ended }) as Committed

const endOf = (turn: TurnRecord, events: ReadonlyArray<StoredEvent> = []): SessionNews => ({
  ...news(events),
  settled: [turn.index],
  stored: { events, characters: 10, step: step({ type: "turn.ended", turn: turn.index }, [turn]) }
})

const heard = (...told: ReadonlyArray<SessionNews>) => {
  const turns = new HeardTurns()
  for (const one of told) turns.hear(one)
  return turns
}
const of = (seq: number, turn: number | null): StoredEvent => ({ ...event(seq), turn })
const began = news([of(1, 1), of(2, null)], 1)

it("gives all events of a turn that began meanwhile, in their order, once", () => {
  const turns = heard(began, news([of(4, 1)]), news([of(3, 1), of(5, 2)]))
  assert.deepStrictEqual(turns.take(1), { events: [of(1, 1), of(3, 1), of(4, 1)], row: null })
  assert.isNull(turns.take(1), "who comes later reads what came later as well")
})

it("gives the row of a turn with its end, and none of one that cost something, which the ledger knows", () => {
  const first = turn({ index: 1, endedAt: 5 })
  const second = turn({ index: 2, endedAt: 7 })
  const both = [began, news([of(6, 2)], 2), endOf(first), endOf(second)]
  assert.strictEqual(heard(...both).take(1)?.row, first)
  assert.strictEqual(heard(...both).take(2)?.row, second)
  const cost = { sessionUpdate: "usage_update", used: 1, size: 2, cost: { amount: 0.5, currency: "USD" } } as const
  const costly = { ...of(4, 1), message: updateMessage(id, cost) }
  const told = heard(began, news([costly]), endOf(first)).take(1)
  assert.deepStrictEqual(told, { events: [of(1, 1), costly], row: null })
})

it("gives nothing of a turn that began before, or where not all was told, or where it is much", () => {
  assert.isNull(heard(news([of(4, 1)])).take(1))
  assert.isNull(heard(began, { ...news([]), stored: null }, news([of(3, 1)])).take(1))
  assert.isNull(heard(began, news([of(3, 1)], null, 40_000)).take(1))
})
