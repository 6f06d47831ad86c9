/** A session whose events come from behind, page by page, is the one whose events come from the first on. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { createApi } from "../../../src/inspect/client/api.ts"
import { Transcript, withPrompts } from "../../../src/inspect/client/Transcript.ts"
import { between, pastOf } from "../../../src/inspect/page/session/past.ts"
import { open } from "../harness.ts"

it.live("has the same conversation at each size of a page, whatever a page begins and ends in", () =>
  Effect.gen(function* () {
    const troupe = yield* open()
    const token = yield* troupe.mint("ours")
    const id = yield* troupe.create(token, { permissions: "approve_all" })
    for (const prompt of [
      "think\nslow 12 0\nhello",
      "tool echo one\ntool echo two\nplan",
      "crash 3",
      "slow 9 0\nagain"
    ])
      yield* troupe.turn(token, id, prompt)
    const api = createApi(`${troupe.base}/inspect/api/`, (url, init) =>
      fetch(url, {
        ...init,
        headers: { ...(init?.headers as Record<string, string>), authorization: `Bearer ${token}` }
      })
    )
    let asked = 0
    const read = (after: number, limit: number) => {
      asked += 1
      return api.events(id, after, limit)
    }
    const { last_event, turns } = yield* Effect.promise(() => api.detail(id))
    const all = yield* Effect.promise(() => between(read, 0, last_event + 1))
    assert.deepStrictEqual(
      all.map(({ seq }) => seq),
      Array.from({ length: last_event }, (_, nth) => nth + 1)
    )
    const whole = new Transcript()
    whole.append(all)
    assert.isAbove(whole.items.length, 12)

    for (const size of [1, 2, 3, 7, 20, last_event - 6, last_event]) {
      const conversation = new Transcript()
      let drawn = 0
      const past = pastOf(conversation, read, () => drawn++, size)
      assert.isUndefined(past.first.peek())
      conversation.append(yield* Effect.promise(() => between(read, last_event - 5, last_event + 1)))
      past.look()
      // What comes live meanwhile is behind it.
      assert.strictEqual(conversation.earliest?.seq, last_event - 4)
      asked = 0
      for (let first = past.first.value; first !== null; first = past.first.value) {
        const { at = 0, seq = 0 } = first ?? {}
        assert.strictEqual(conversation.firstSeq, seq)
        // Nothing is shown of a turn of which no event is here.
        const shown = withPrompts(conversation.items, turns, conversation.prompts, at)
        assert.isTrue(shown.every((item) => item.at >= at))
        assert.isUndefined(conversation.keyOf(seq - 1))
        assert.isTrue(yield* Effect.promise(past.more))
      }
      assert.strictEqual(asked, Math.ceil((last_event - 5) / size))
      assert.strictEqual(drawn, asked)
      assert.deepStrictEqual(conversation.items, whole.items)
      assert.deepStrictEqual(conversation.prompts, whole.prompts)
      assert.deepStrictEqual(
        all.map(({ seq }) => conversation.keyOf(seq)),
        all.map(({ seq }) => whole.keyOf(seq))
      )
      assert.isFalse(yield* Effect.promise(past.more))
    }
  }).pipe(Effect.scoped)
)

it("says why the earlier events did not come, and asks again when it is told to", async () => {
  const conversation = new Transcript()
  const message = { jsonrpc: "2.0", method: "_troupe/state", params: { from: "a", to: "b", event: "c" } }
  conversation.append([{ seq: 3, turn: null, at: 3, message }])
  let isAway = true
  const past = pastOf(
    conversation,
    async () => {
      if (isAway) throw new Error("no link")
      const events = [1, 2].map((seq) => ({ seq, turn: null, at: seq, message }))
      return { ok: true, events, next: null }
    },
    () => {}
  )
  past.look()
  assert.isFalse(await past.more())
  assert.strictEqual(past.problem.value?.detail, "no link")
  assert.isFalse(past.isComing.value)
  isAway = false
  assert.isTrue(await past.more())
  assert.deepStrictEqual([past.problem.value, past.first.value, conversation.items.length], [undefined, null, 3])
})
