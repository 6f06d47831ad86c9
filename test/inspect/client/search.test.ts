/** Where a text is found in a session, and what is shown of the place. */
import { assert, describe, it } from "@effect/vitest"
import { matcherOf, searchItems, searchPrompts, searchSteps } from "../../../src/inspect/client/search.ts"
import { Transcript } from "../../../src/inspect/client/Transcript.ts"
import type { Step } from "../../../src/inspect/sessionContract.ts"

const said = (seq: number, update: object) => ({
  seq,
  turn: 1,
  at: seq,
  message: { method: "session/update", params: { update } }
})
const chunk = (seq: number, text: string) =>
  said(seq, { sessionUpdate: "agent_message_chunk", content: { type: "text", text } })

const transcript = new Transcript()
transcript.append([
  {
    seq: 1,
    turn: 1,
    at: 1,
    message: { method: "_troupe/turn", params: { phase: "submitted", turn_index: 1, prompt: "Mend (it)" } }
  },
  chunk(2, "The nee"),
  chunk(3, "dle\n is  NEEDLE"),
  said(4, { sessionUpdate: "tool_call", toolCallId: "a", title: "grep", rawInput: { pattern: "hay" } }),
  chunk(5, "meanwhile"),
  said(6, { sessionUpdate: "tool_call_update", toolCallId: "a", rawOutput: "a needle in the hay" })
])

const match = (query: string) => matcherOf(query) ?? assert.fail("there is something to look for")

describe("a search in a session", () => {
  it("finds a text across the pieces of an answer, whatever its case, and leads to where its item begins", () => {
    assert.deepStrictEqual(
      searchItems(transcript.items, match(" needle ")).map(({ matches, seq, snippet, what }) => [
        seq,
        what,
        matches,
        snippet
      ]),
      [
        [2, "message", 2, ["The ", "needle", " is NEEDLE"]],
        [4, "output of a tool", 1, ["a ", "needle", " in the hay"]]
      ]
    )
    assert.strictEqual(transcript.keyOf(6), "4")
    assert.strictEqual(transcript.keyOf(5), "5/")
  })

  it("takes the signs of patterns for themselves, and looks for nothing where there is nothing", () => {
    assert.strictEqual(searchPrompts(transcript.prompts, match("(it)"))[0]?.turn, 1)
    assert.deepStrictEqual(searchItems(transcript.items, match(".*")), [])
    for (const sign of ["\\", "[", "-", "/", "^", "{1}"]) assert.isNotNull(match(sign)(`a${sign}b`))
    assert.isNull(matcherOf("  "))
  })

  it("shows the beginning of what is around it, with whole characters", () => {
    const found = match("x")(`${"😀".repeat(100)}x${"é".repeat(1_000)}`)
    assert.strictEqual(found?.snippet[0], `…${"😀".repeat(30)}`)
    assert.strictEqual(found?.snippet[2], `${"é".repeat(140)}…`)
  })

  it("finds steps by event, state and command, and by the stderr of a death", () => {
    const step: Step = {
      seq: 7,
      at: 9,
      event: {
        type: "process.exited",
        at: 1,
        failure: { class: "crash", message: "exit code 3", stderr: "no space left" }
      },
      from: "turning.running",
      to: "retiring.killing",
      commands: ["settleTurn"],
      wire: false
    }
    for (const [query, what] of [
      ["settleturn", "step"],
      ["retiring.killing", "step"],
      ["exit code 3", "step"],
      ["space left", "stderr"]
    ] as const)
      assert.deepStrictEqual(
        searchSteps([step], match(query)).map((hit) => [hit.seq, hit.what]),
        [[7, what]]
      )
    assert.deepStrictEqual(searchSteps([step], match("nowhere")), [])
  })
})
