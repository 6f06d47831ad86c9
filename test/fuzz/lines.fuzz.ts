/** What an agent writes to stdout, before any protocol: bytes into lines, lines into messages. */
import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Lines from "../../src/agent/Lines.ts"
import { messagesIn } from "../../src/agent/messagesIn.ts"
import { anyText, anyValue, changed, damaged, jsonOf } from "./arbitraries.ts"
import { fuzz } from "./fuzz.ts"

const samples = [
  { jsonrpc: "2.0", id: 1, result: { ok: true } },
  { jsonrpc: "2.0", method: "session/update", params: { sessionId: "s", update: { sessionUpdate: "x" } } },
  { id: null, error: { code: -32700, message: "Parse error" } },
  [
    { jsonrpc: "2.0", method: "a" },
    { jsonrpc: "2.0", id: 2, result: null }
  ]
]
const line = fc.oneof(changed(samples).map(jsonOf), anyText, anyValue.map(jsonOf))
const stream = damaged(
  fc
    .array(fc.tuple(line, fc.constantFrom("\n", "\r\n", "\r", "", "\n\n")), { maxLength: 6 })
    .map((lines) => lines.flat().join(""))
)

const linesOf = (chunks: ReadonlyArray<Uint8Array>, limit?: number) => {
  const lines = Lines.make(limit)
  const read = chunks.flatMap((chunk) => lines.push(chunk))
  return { lines: [...read, ...lines.rest()], overflowed: lines.overflowed() }
}

const cutAt = (bytes: Buffer, cuts: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b)
  return [...places, bytes.length].map((end, index) => bytes.subarray(places[index - 1] ?? 0, end))
}

it("bytes give the same lines however they are cut, and no line stops the reading of the messages in it", () =>
  fuzz({
    name: "lines",
    share: 0.25,
    arbitrary: fc.tuple(stream, fc.array(fc.nat(), { maxLength: 5 })),
    run: ([bytes, cuts]) => {
      const whole = linesOf([bytes])
      assert.deepStrictEqual(linesOf(cutAt(bytes, cuts)), whole)
      assert.deepStrictEqual(linesOf([...bytes].map((byte) => Uint8Array.of(byte))), whole)
      for (const line of whole.lines) {
        assert.isFalse(/[\r\n]/.test(line))
        for (const { message, raw } of messagesIn(line).messages) {
          assert.isObject(message)
          assert.isTrue(line.includes(raw))
        }
      }
      // A line that is longer than the limit ends the reading. A byte that is no UTF-8 becomes three.
      const bounded = linesOf(
        [...bytes].map((byte) => Uint8Array.of(byte)),
        8
      )
      for (const line of bounded.lines) assert.isAtMost(Buffer.byteLength(line), 3 * 8)
    }
  }))

it("a message is found behind anything that is no message of its own", () =>
  fuzz({
    name: "messages",
    share: 0.02,
    arbitrary: fc.tuple(
      fc.constantFrom("", "\ufeff", "\u0000\u0000", "\u001b]0;title\u0007", "log text ", "10% ", "[info] "),
      changed(samples.slice(0, 2)),
      fc.constantFrom("", " ", ",", "\u0000", " done")
    ),
    run: ([before, value, after]) => {
      const json = jsonOf(value)
      const isMessage = messagesIn(json).messages.length === 1 && !Array.isArray(value) && json.startsWith('{"')
      const isFirst = /^\{"(jsonrpc|id|method|params|result|error)":/.test(json)
      if (isMessage && isFirst)
        assert.isAtLeast(messagesIn(`${before}${json}${after}`).messages.length, 1, `${before}${json}${after}`)
    }
  }))
