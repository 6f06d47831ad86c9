/**
 * Agents that do everything wrong, as real processes below the whole runtime: whatever they do, every turn has its
 * outcome, the next turn works, memory stays bounded, and no process is left.
 *
 * `npm run test:hostile` does it in the amounts of the worst agent; `npm test` in less, to take seconds. What only waits
 * for deadlines runs at the same time; what measures memory runs alone.
 */
import { assert, describe, it } from "@effect/vitest"
import * as DescentMark from "../../src/agent/descentMark.ts"
import { amount, pause, statusOf, summary, untilTrue, whole, withAgent, withinMillis } from "./hostileAgent.ts"

/** Runs a test, and says how much more memory this process has at its end. */
const bounded = async (mebibytes: number, body: () => Promise<void>) => {
  const before = process.memoryUsage.rss()
  await body()
  const grown = Math.round((process.memoryUsage.rss() - before) / 1024 / 1024)
  if (whole) console.log(`memory grew by ${grown} MiB`)
  assert.isBelow(grown, mebibytes, "memory grew, in MiB")
}

describe("an agent that writes too much", { timeout: withinMillis }, () => {
  it("has its turn failed as protocol where it floods stdout without a line end", () =>
    bounded(200, () =>
      withAgent({}, async ({ assertWorks, session }) => {
        assert.deepStrictEqual(summary(await session.turn(`flood ${amount(40, 1024)}`)), ["protocol", ""])
        await assertWorks()
      })
    ))

  it("is heard to the last of its tiny updates, and costs no memory for a reader that reads nothing", () =>
    bounded(300, () =>
      withAgent({}, async ({ assertWorks, session }) => {
        await assertWorks()
        const events = session.events({ after: 0 })[Symbol.asyncIterator]()
        await events.next()
        const count = amount(10_000, 1_000_000)
        const outcome = await session.turn(`updates ${count}`, { timeoutMillis: withinMillis })
        assert.deepStrictEqual([statusOf(outcome), outcome.finalText.length], ["completed", count])
        await events.return?.()
        await assertWorks()
      })
    ))

  it("may write to stderr without end", () =>
    bounded(200, () =>
      withAgent({}, async ({ assertWorks, session }) => {
        const outcome = await session.turn(`stderr ${amount(64, 1024)}`)
        assert.deepStrictEqual(summary(outcome), ["completed", "said it"])
        await assertWorks()
      })
    ))

  it("gets an error to each request that nobody knows, also where there are more than are worked on at once", () =>
    bounded(200, () =>
      withAgent({}, async ({ assertWorks, session }) => {
        const outcome = await session.turn(`asks ${amount(500, 20_000)}`)
        assert.strictEqual(statusOf(outcome), "completed")
        for (const code of outcome.finalText.split(" ")) assert.include(["-32601", "-32000"], code)
        await assertWorks()
      })
    ))
})

describe.concurrent("an agent that answers as it should not", { timeout: withinMillis }, () => {
  it("has one outcome of each turn, however often it answers the first, and whatever it answers late", () =>
    withAgent({}, async ({ assertWorks, session }) => {
      assert.deepStrictEqual(summary(await session.turn("repeats 5")), ["completed", "once"])
      assert.deepStrictEqual(summary(await session.turn("stderr 1")), ["completed", "said it"])
      await pause(200)
      await assertWorks()
      assert.deepStrictEqual((await session.turns()).map(statusOf), ["completed", "completed", "completed"])
    }))

  it("adds nothing to its text by updates of another session, nor to the events of a turn that has ended", () =>
    withAgent({}, async ({ assertWorks, session }) => {
      const outcome = await session.turn("strays")
      assert.deepStrictEqual(summary(outcome), ["completed", "mine"])
      for await (const { message } of session.events({ after: 0 })) {
        const json = JSON.stringify(message)
        // A session that it did not open is taken for its sub-agent's.
        if (json.includes("somebody else's")) assert.include(json, "troupe/subagent")
        if (json.includes("too late")) break
      }
      assert.deepStrictEqual((await session.turns())[0]?.events, outcome.events)
      await assertWorks()
    }))

  it("is timed out where its answer comes after the deadline, which changes nothing any more", () =>
    withAgent({}, async ({ assertWorks, session }) => {
      assert.deepStrictEqual(summary(await session.turn("late 700", { timeoutMillis: 300 })), ["timeout", ""])
      await assertWorks()
      assert.deepStrictEqual((await session.turns()).map(statusOf), ["timeout", "completed"])
    }))
})

describe.concurrent("an agent that does not react", { timeout: withinMillis }, () => {
  it("is ended with its turn where it reads nothing from stdin", () =>
    withAgent({}, async ({ assertWorks, session }) => {
      assert.deepStrictEqual(summary(await session.turn("deaf", { timeoutMillis: 500 })), ["timeout", ""])
      await assertWorks()
    }))

  it("has its turn ended where it closes stdout and lives", () =>
    withAgent({}, async ({ assertWorks, session }) => {
      assert.strictEqual((await session.turn("closes", { timeoutMillis: 15_000 })).errorClass, "crash")
      await assertWorks()
    }))

  it("is killed at the close of its session where it ignores SIGTERM and the end of stdin", () =>
    withAgent({}, async ({ processes, session }) => {
      assert.deepStrictEqual(summary(await session.turn("stubborn")), ["completed", "here to stay"])
      await session.close()
      assert.deepStrictEqual(processes(), [])
    }))

  it("has its first turn failed, and leaves nothing, where it dies in the handshake with half a reply", () =>
    withAgent({ handshake: "dies" }, async ({ processes, session }) => {
      assert.strictEqual((await session.turn("hello")).errorClass, "crash")
      await session.close()
      assert.deepStrictEqual(processes(), [])
    }))

  it("has its first turn timed out where it never answers the handshake", () =>
    withAgent({ handshake: "silent" }, async ({ processes, session }) => {
      assert.strictEqual((await session.turn("hello", { timeoutMillis: 500 })).errorClass, "timeout")
      await session.close()
      assert.deepStrictEqual(processes(), [])
    }))
})

describe.concurrent("an agent that starts what it does not end", { timeout: withinMillis }, () => {
  it.skipIf(!DescentMark.marks)("has its daemons ended that left group, session and environment", () =>
    withAgent({}, async ({ processes, session, sleepers }) => {
      assert.deepStrictEqual(summary(await session.turn("daemon")), ["completed", "forked twice"])
      await untilTrue("the daemons' start", () => sleepers() === 2)
      await session.close()
      assert.deepStrictEqual(processes(), [])
    })
  )

  it("has all children ended that it started at once", () =>
    withAgent({}, async ({ processes, session, sleepers }) => {
      const count = amount(50, 200)
      assert.deepStrictEqual(summary(await session.turn(`bomb ${count}`)), ["completed", `started ${count}`])
      await untilTrue("the children's start", () => sleepers() === count)
      await session.close()
      assert.deepStrictEqual(processes(), [])
    }))
})

// Where the processes of an agent can't be found, no test above means anything.
it("the tests of hostile agents find the processes that they look for", () =>
  withAgent({}, async ({ assertWorks, processes }) => {
    await assertWorks()
    assert.strictEqual(processes().length, 1)
  }))
