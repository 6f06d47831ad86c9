/** What is kept of the news for a turn's result: all of a turn that began meanwhile, or nothing. */
import { assert, it } from "@effect/vitest"
import { HeardTurns } from "../../src/supervision/HeardTurns.ts"
import type { Committed, SessionNews } from "../../src/runtime/News.ts"
import type { StoredEvent } from "../../src/domain/Session.ts"
import { event, id } from "../ledger/samples.ts"

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
    step: submitted === null ? null : ({ event: { type: "turn.submitted", turn: submitted } } as Committed)
  }
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
  assert.deepStrictEqual(turns.take(1), [of(1, 1), of(3, 1), of(4, 1)])
  assert.isNull(turns.take(1), "who comes later reads what came later as well")
})

it("gives nothing of a turn that began before, or where not all was told, or where it is much", () => {
  assert.isNull(heard(news([of(4, 1)])).take(1))
  assert.isNull(heard(began, { ...news([]), stored: null }, news([of(3, 1)])).take(1))
  assert.isNull(heard(began, news([of(3, 1)], null, 40_000)).take(1))
})
