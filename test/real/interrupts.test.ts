/** Interrupts of real agents: the turn ends at once, what was said is kept, and nothing that it started runs on. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { existsSync } from "node:fs"
import { speaks } from "./harness/App.ts"
import { agents, lingering } from "./harness/agents.ts"
import { open } from "./harness/open.ts"
import { until } from "./harness/until.ts"

describe.each(agents)("$name", ({ name: agent }) => {
  it.live("stops in the middle of its words and keeps those it said", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent })
      const turn = yield* Effect.forkChild(session.turn("SLOW:600x50"))
      yield* session.hears("the first words", speaks)
      const { body: interrupt } = yield* session.interrupt
      assert.isTrue(interrupt.interrupted)
      const { body, status } = yield* Fiber.join(turn)
      assert.strictEqual(status, 200)
      assert.include(body, { ok: true, interrupted: true, partial: true, stop_reason: "cancelled", error: null })
      assert.match(body.final_text, /^w1 /)
      assert.notInclude(body.final_text, "w600")
      assert.deepStrictEqual((yield* session.interrupt).body, { ok: true, interrupted: false })
      const next = yield* session.turn("go on")
      assert.strictEqual(next.body.final_text, "echo: go on")
    })
  )

  it.live("leaves no command running when the interrupt has answered", () =>
    Effect.gen(function* () {
      const { installation, session } = yield* open({ agent, permissions: "approve_all" })
      const turn = yield* Effect.forkChild(session.turn("RUN:./linger.sh"))
      yield* until("the command's beginning", () => existsSync(installation.file("lingering")))
      yield* installation.process("the command", lingering)
      assert.isTrue((yield* session.interrupt).body.interrupted)
      assert.deepStrictEqual(
        installation.running().filter(({ command }) => lingering.test(command)),
        []
      )
      const { body } = yield* Fiber.join(turn)
      assert.include(body, { ok: true, interrupted: true, stop_reason: "cancelled" })
      const next = yield* session.turn("go on")
      assert.strictEqual(next.body.final_text, "echo: go on")
    })
  )
})
