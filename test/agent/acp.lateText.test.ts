/** Agents whose text comes after the reply to the prompt: opencode, Gemini, pi. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Processes } from "../../src/agent/Processes.ts"
import { chunk, end, scripted } from "./acp.script.ts"
import type { Step } from "./acp.script.ts"
import { textPrompt } from "../../src/domain/Turn.ts"

const variants: ReadonlyArray<readonly [string, ReadonlyArray<Step>]> = [
  ["the rest, in writes of their own", [chunk("Hel", { messageId: "m1" }), end, chunk("lo", { messageId: "m1" })]],
  ["the rest, without ids", [chunk("Hel"), end, chunk("lo")]],
  ["all of it", [end, chunk("Hel"), chunk("lo")]],
  ["the rest, in one write", [{ together: [chunk("Hel"), end, chunk("lo")] }]],
  ["none of it, in one write", [{ together: [chunk("Hel"), chunk("lo"), end] }]]
]

layer(Processes.layer, { excludeTestServices: true })("the text after the reply to a prompt", (it) => {
  it.effect.each(variants)("is emitted before the turn's end: %s", ([, steps]) =>
    Effect.gen(function* () {
      const session = yield* scripted({ turns: [steps] })
      yield* session.turn(1, "one")
      assert.strictEqual(session.text(1), "Hello")
      assert.deepStrictEqual(
        session.facts.map(({ _tag }) => _tag),
        ["Update", "Update", "TurnEnded"]
      )
    })
  )

  it.effect("is of the turn that ended, where it comes much later", () =>
    Effect.gen(function* () {
      const session = yield* scripted(({ signal }) => ({
        turns: [[chunk("Hel"), end, { until: signal("ended") }, chunk("lo")]]
      }))
      yield* session.turn(1, "one")
      assert.strictEqual(session.text(1), "Hel")
      session.folder.touch("ended")
      yield* session.until((fact) => fact._tag === "Update" && session.text(1) === "Hello")
      assert.strictEqual(session.count("TurnEnded"), 1)
    })
  )

  it.effect("does not delay the exit of an agent that ends right after its reply", () =>
    Effect.gen(function* () {
      const session = yield* scripted({ turns: [[chunk("Hel"), end]] })
      yield* session.connection.prompt(1, textPrompt("one"))
      yield* session.connection.askToExit
      yield* session.exited
      assert.deepStrictEqual(
        session.facts.map(({ _tag }) => _tag),
        ["Update", "TurnEnded", "Exited"]
      )
    })
  )
})
