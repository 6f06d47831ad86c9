/** W3C Trace Context is read as the standard has it: what is no trace is ignored. */
import { assert, it } from "@effect/vitest"
import { traceIn, traceparentOf } from "../../src/domain/traceparent.ts"

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
const spanId = "00f067aa0ba902b7"

it("a traceparent is read and written", () => {
  const text = `00-${traceId}-${spanId}-01`
  assert.deepStrictEqual(traceIn(text), { traceId, spanId, sampled: true })
  assert.strictEqual(traceparentOf(traceIn(text)!), text)
  assert.strictEqual(traceIn(`00-${traceId}-${spanId}-02`)?.sampled, false)
  // A later version may say more.
  assert.deepStrictEqual(traceIn(`01-${traceId}-${spanId}-01-more`), { traceId, spanId, sampled: true })
})

it("what is no traceparent is none", () => {
  for (const text of [
    "",
    "00",
    `00-${traceId}-${spanId}`,
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${"0".repeat(32)}-${spanId}-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}-01\n`
  ]) {
    assert.isNull(traceIn(text), text)
  }
})
