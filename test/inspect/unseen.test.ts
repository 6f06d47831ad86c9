/** A session whose node does not answer is shown as that, and not as one without a process. */
import { assert, it } from "@effect/vitest"
import { unseenSentence } from "../../src/inspect/detail/unseen.ts"

it.each([
  [{ node: "b", since: 1_000_000 }, "Its node, b, does not answer (last sign of life 1 min 30 s ago): "],
  [{ node: "b", since: null }, "Its node, b, does not answer: "],
  [{ node: null, since: 1_089_000 }, "Its node does not answer (last sign of life 1 s ago): "]
])("%o is said in words", (unseen, words) => {
  const what = "what runs for the session is not known. What is stored of it is shown."
  assert.strictEqual(unseenSentence(unseen, 1_090), words + what)
})
