/**
 * The projection of every recorded trace, compared with `test/fixtures/golden`, which was reviewed.
 *
 * `UPDATE_GOLDEN=1` writes it again. Review the difference before you commit it.
 */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { resultOf } from "../../src/conversation/turnResult.ts"
import { ToolCount } from "../../src/conversation/ToolCount.ts"
import { project } from "../../src/conversation/Projection.ts"
import { recorded } from "./recorded.ts"
import type { RecordedTurn } from "./recorded.ts"
import { assertWellFormed } from "./wellFormed.ts"

const fileOf = (name: string): string => new URL(`../fixtures/golden/${name}.json`, import.meta.url).pathname

const summaryOf = ({ events, turn }: RecordedTurn) => {
  const { finalText, messages, turn: record } = resultOf(turn, events)
  const { aborted, answered, compacted } = project(turn, events)
  return {
    status: record.status,
    toolIterations: record.toolIterations,
    finalText,
    ...(answered === (record.status === "completed") ? {} : { answered }),
    ...(aborted ? { aborted } : {}),
    ...(compacted ? { compacted } : {}),
    messages
  }
}

describe("the projection of recorded traces", () => {
  for (const { name, turns } of recorded) {
    it(`the projection is as stored: ${name}`, () => {
      const actual = `${JSON.stringify(turns.map(summaryOf), null, 2)}\n`
      const file = fileOf(name)
      if (process.env["UPDATE_GOLDEN"] === "1") {
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, actual)
      }
      assert.isTrue(existsSync(file), `${name} has no expectation. Write it with UPDATE_GOLDEN=1, and read it.`)
      assert.strictEqual(actual, readFileSync(file, "utf8"))
    })

    it(`its tool calls are counted alike while they come: ${name}`, () => {
      for (const { events, turn } of turns) {
        const count = new ToolCount()
        events.forEach((event, nth) => {
          count.received(event, turn.threadId)
          if (nth % 7 === 0) assert.strictEqual(count.ended, project(turn, events.slice(0, nth + 1)).toolIterations)
        })
        assert.strictEqual(count.ended, project(turn, events).toolIterations)
      }
    })

    it(`the projection is well formed, and the same each time: ${name}`, () => {
      for (const { events, turn } of turns) {
        const { messages } = project(turn, events)
        assertWellFormed(messages, turn)
        assert.deepStrictEqual(project(turn, events).messages, messages)
      }
    })
  }
})
