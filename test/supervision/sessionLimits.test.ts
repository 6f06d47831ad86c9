/** What an operator's limits do to a session whose processes exceed them, between turns and in a turn. */
import { assert, describe, it } from "@effect/vitest"
import type { Session } from "../../src/promise.ts"
import { summary, untilTrue, withAgent, withinMillis } from "./hostileAgent.ts"

describe.concurrent("an operator's limit", { timeout: withinMillis }, () => {
  const exceededBy = async (session: Session) => {
    const { exceeded } = (await session.view()).process
    return [exceeded?.limit, exceeded?.generation]
  }

  it("of descendants fails the turn that exceeds it with class limit, ends them all, and the next turn works", () =>
    withAgent({ limits: { maxSessionDescendants: 10 } }, async ({ assertWorks, session, sleepers }) => {
      const outcome = await session.turn("bombs 30")
      assert.deepStrictEqual(summary(outcome), ["limit", ""])
      assert.match(
        outcome.error ?? "",
        /had [0-9]+ processes, and its operator allows 10 \(TROUPE_MAX_SESSION_DESCENDANTS\)/
      )
      await assertWorks()
      assert.strictEqual(sleepers(), 0)
      assert.deepStrictEqual(await exceededBy(session), ["descendants", 1])
    }))

  it("of memory fails the turn that exceeds it with class limit, and the next turn works", () =>
    withAgent({ limits: { maxSessionRssBytes: 300 * 1024 * 1024 } }, async ({ assertWorks, session }) => {
      const outcome = await session.turn("eat 400")
      assert.deepStrictEqual(summary(outcome), ["limit", ""])
      assert.match(outcome.error ?? "", /used [0-9]+ MiB of memory, and its operator allows 300 MiB/)
      await assertWorks()
      assert.deepStrictEqual(await exceededBy(session), ["rss", 1])
    }))

  it("that is exceeded between turns has the process retired, and the next turn starts another", () =>
    withAgent({ limits: { maxSessionDescendants: 10 } }, async ({ assertWorks, session, sleepers }) => {
      assert.deepStrictEqual(summary(await session.turn("timebomb 30")), ["completed", "lit"])
      await untilTrue("its retirement", async () => (await session.view()).process.state === "none")
      assert.strictEqual(sleepers(), 0)
      await assertWorks()
      assert.strictEqual((await session.view()).process.state, "up")
      for await (const { message } of session.events({ after: 0 })) {
        if (!("method" in message) || message.method !== "_troupe/state") continue
        const { event, from } = message.params as { readonly from: string; readonly event: string }
        if (event !== "limit.exceeded") continue
        assert.strictEqual(from, "idle.awake")
        break
      }
    }))

  it("that is not exceeded shows what the session's processes use", () =>
    withAgent({ limits: { maxSessionDescendants: 10 } }, async ({ assertWorks, session }) => {
      await assertWorks()
      await untilTrue("the measurement", async () => (await session.view()).process.use !== undefined)
      const { exceeded, use } = (await session.view()).process
      assert.deepStrictEqual([use?.processes, exceeded], [1, undefined])
      assert.isAbove(use?.rssBytes ?? 0, 10_000_000)
    }))
})
