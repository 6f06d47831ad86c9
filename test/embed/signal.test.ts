/** An abort signal interrupts the turn that it was given to, running or queued. */
import { assert, it } from "@effect/vitest"
import { openTroupe } from "../../src/promise.ts"

it("an aborted signal interrupts its queued turn, and the running turn goes on", async () => {
  await using troupe = await openTroupe({ dataDir: ":memory:", defaultAgent: "demo", drainMillis: 500 })
  const session = await troupe.createSession({})
  const stop = new AbortController()
  const running = session.turn("hang")
  const waiting = session.turn("second", { queue: true, signal: stop.signal })
  stop.abort()
  assert.containSubset(await waiting, { interrupted: true, stopReason: "cancelled", apiCalls: 0, turnIndex: 2 })
  assert.strictEqual((await session.view()).state, "turning")
  assert.isTrue(await session.interrupt())
  assert.containSubset(await running, { interrupted: true, turnIndex: 1 })
})
