/** Texts of events as pieces of a row's first one: they come back to the character, whatever they are. */
import { assert, describe, it } from "@effect/vitest"
import { eventsIn, PieceWriter } from "../../src/ledger/eventPieces.ts"

type Event = readonly [at: number, text: string, ofTurn?: boolean]

const piecesOf = (events: ReadonlyArray<Event>) => {
  const [[at, first] = [0, ""], ...others] = events
  const writer = new PieceWriter(at, first)
  const pieces = others.map(([time, text, ofTurn]) => writer.piece(time, text, ofTurn))
  return { at, first, pieces }
}

const readBack = (events: ReadonlyArray<Event>) => {
  const { at, first, pieces } = piecesOf(events)
  return eventsIn(at, first, pieces.join("")).map(({ at, ofTurn, text }): Event => [at, text, ofTurn])
}

const chunk = (text: string) => JSON.stringify({ method: "session/update", params: { update: { text }, id: "m" } })

describe("the pieces of a row", () => {
  it("have of an event what it does not share with the first, and its time", () => {
    const { pieces } = piecesOf([
      [1_000, chunk("one")],
      [1_050, chunk("two")],
      [1_100, chunk("three")],
      [1_090, chunk("four")]
    ])
    assert.match(pieces[0] ?? "", /^1e\.3\.\w+\.\w+:two$/)
    assert.match(pieces[1] ?? "", /^1e\.\w:t?hree$/)
    assert.match(pieces[2] ?? "", /^-a\.4(?:\.\w+\.\w+)?:four$/)
  })

  it("come back to the character and the millisecond", () => {
    const texts = [
      "",
      "a",
      "👋",
      "👍",
      "👋👍",
      "x👋",
      "é",
      "„“",
      ":=.",
      "1.1!x",
      "1.2:3",
      "\\ud83d",
      "\n\r\u0000",
      "9".repeat(5_000)
    ]
    let seed = 7
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((seed / 2_147_483_648) * below)
    }
    for (let round = 0; round < 300; round++) {
      const events = Array.from({ length: 1 + random(12) }, (_, nth) => {
        const text = Array.from({ length: random(4) }, () => texts[random(texts.length)]).join("")
        const at = random(3) === 0 ? -1 - random(1_000) : random(1e12)
        return [at, random(3) === 0 ? text : chunk(text), nth === 0 || random(5) > 0] as const
      })
      assert.deepStrictEqual(readBack(events), events)
    }
  })

  it("never have half of a character, which a database would not keep", () => {
    const { pieces } = piecesOf([
      [0, "same 👋 same"],
      [0, "same 👍 same"],
      [0, "same 🌋 same"],
      [0, "same 👋 same"]
    ])
    for (const piece of pieces) assert.isTrue(piece.isWellFormed(), piece)
  })

  it("that are damaged end the row, and are never taken for something else", () => {
    const { first, pieces } = piecesOf([
      [0, chunk("one")],
      [0, chunk("two")],
      [0, chunk("three")]
    ])
    assert.lengthOf(eventsIn(0, first, pieces.join("").slice(1)), 1)
    assert.lengthOf(eventsIn(0, first, `${pieces[0]}?${pieces[1]}`), 2)
    assert.lengthOf(eventsIn(0, first, `${pieces[0]}0.zzz:short`), 2)
  })
})
