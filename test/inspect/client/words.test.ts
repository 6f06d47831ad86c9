/** The words that the page and the terminal share. */
import { assert, describe, it } from "@effect/vitest"
import {
  age,
  bytes,
  count,
  countdown,
  digits,
  duration,
  money,
  plural,
  shortened
} from "../../../src/inspect/client/format.ts"
import { stateInfo } from "../../../machines/session/stateInfo.ts"
import type { WaitsFor } from "../../../machines/session/states.ts"
import { stateOf, substateWords, toneOf } from "../../../src/inspect/client/tones.ts"
import type { Tone } from "../../../src/inspect/client/tones.ts"
import { circuitOf, failedWords, failureOf, nextWords } from "../../../src/inspect/client/words.ts"

describe("numbers and times", () => {
  it.each([
    [-3, "0 s", "0s", "0:00"],
    [4.9, "4 s", "4s", "0:05"],
    [60, "1 min", "1m", "1:00"],
    [200, "3 min 20 s", "3m", "3:20"],
    [7390, "2 h 3 min", "2h", "2:03:10"],
    [90_000, "1 d 1 h", "1d", "25:00:00"]
  ] as const)("%d s", (seconds, long, short, left) => {
    assert.deepStrictEqual([duration(seconds), age(seconds), countdown(seconds)], [long, short, left])
  })

  it("counts with three significant digits", () => {
    assert.deepStrictEqual([0, 999, 1_000, 12_345, 999_949, 999_950, 4_100_000, 2_500_000_000].map(count), [
      "0",
      "999",
      "1k",
      "12.3k",
      "999k",
      "1M",
      "4.1M",
      "2.5G"
    ])
    assert.strictEqual(digits(1_234_567), "1\u202f234\u202f567")
    assert.deepStrictEqual([plural(1, "match", "matches"), plural(2, "match", "matches")], ["1 match", "2 matches"])
  })

  it("writes money, and never zero for an amount above zero", () => {
    const usd = [0, 0.0000004, 0.00113, 0.00999, 0.01, 12.3, 4_000].map((amount) => money({ amount, currency: "USD" }))
    assert.deepStrictEqual(usd, [
      "0.00 USD",
      "0.0000004 USD",
      "0.0011 USD",
      "0.01 USD",
      "0.01 USD",
      "12.30 USD",
      "4000.00 USD"
    ])
  })

  it("writes sizes", () => {
    assert.deepStrictEqual([0, 1_023, 1_536, 15 * 1_048_576].map(bytes), ["0 B", "1023 B", "1.5 KiB", "15 MiB"])
  })

  it("keeps both ends of a long text", () => {
    assert.strictEqual(shortened("short"), "short")
    const id = shortened("ses_EuZjgZIGvXzePAUYRMmVpP13dZg", 18)
    assert.match(id, /^ses_.+….+dZg$/)
    assert.isAtMost(id.length, 18)
  })
})

describe("states", () => {
  it("are named in words, and have a tone of their own where a person has to act", () => {
    assert.deepStrictEqual(
      ["idle.asleep", "idle.backingOff", "idle.parked", "turning.asking", "retiring.asking", "closed"].map(
        (substate) => [stateOf(substate), substateWords(substate), toneOf(substate)]
      ),
      [
        ["idle", "asleep", "idle"],
        ["idle", "backing off", "backing"],
        ["idle", "parked", "parked"],
        ["turning", "asking", "asking"],
        ["retiring", "asking", "retiring"],
        ["closed", "", "closed"]
      ]
    )
  })

  it("have the tone of their state, unless they wait for a slot, a person, a backoff or an operator", () => {
    const special: Partial<Record<WaitsFor, Tone>> = {
      slot: "queued",
      answer: "asking",
      backoff: "backing",
      unpark: "parked"
    }
    for (const { name, state, waitsFor } of Object.values(stateInfo))
      assert.strictEqual(toneOf(name), special[waitsFor] ?? state, name)
    assert.strictEqual(toneOf("idle.tomorrow"), "idle")
    assert.strictEqual(toneOf("tomorrow"), "idle")
  })

  it("have a process where the agent is up: an open circuit holds up the others", () => {
    const circuit = { until: 20, reason: "no such file" }
    for (const { name, process } of Object.values(stateInfo)) {
      const isHeldUp = circuitOf({ circuit, substate: name }, 10) !== null
      assert.strictEqual(isHeldUp, process !== "up" && name !== "closed", name)
    }
    assert.isNull(circuitOf({ circuit, substate: "idle.asleep" }, 20))
  })

  it("tell of a failed turn until another one runs", () => {
    const failed = { turn: 2, status: "failed", at: 1, failure: { class: "crash", message: "it died" } } as const
    assert.strictEqual(failureOf({ last_outcome: failed, state: "idle" }), failed)
    assert.isNull(failureOf({ last_outcome: failed, state: "turning" }))
    assert.isNull(failureOf({ last_outcome: { ...failed, status: "interrupted" }, state: "idle" }))
    assert.deepStrictEqual(
      [failed, { ...failed, status: "timed_out" as const }, { ...failed, failure: null }].map(failedWords),
      ["failed: crash", "ran out of time", "failed"]
    )
  })

  it("name the state that the next timer leads to, or the timer itself where it leads to none", () => {
    const next = (to: string | null) => ({ timer: "interruptAgain", at: 0, to })
    assert.strictEqual(nextWords("idle.awake", next("retiring.asking")), "→ retiring")
    assert.strictEqual(nextWords("idle.parked", next("idle.asleep")), "→ asleep")
    assert.strictEqual(nextWords("retiring.killing", next("closed")), "→ closed")
    assert.strictEqual(nextWords("turning.probing", next(null)), "asked to stop again")
  })
})
