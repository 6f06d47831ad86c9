/** What real agents say that their turns cost: by turn, and in all, over a sleep and a death too. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { claude, claudeViaAcpx, codex } from "./harness/agents.ts"
import { isReaped, kill } from "./harness/Kernel.ts"
import { open } from "./harness/open.ts"
import { until } from "./harness/until.ts"
import { isShort } from "./harness/short.ts"

describe.each(isShort ? [claude] : [claude, claudeViaAcpx])("$name", (agent) => {
  it.live("tells what each turn cost, and nothing of one for which nobody can know it", () =>
    Effect.gen(function* () {
      const { installation, session } = yield* open({ agent: agent.name }, { TROUPE_HIBERNATE_AFTER: "2 seconds" })
      const amounts: Array<number | null> = []
      const turn = Effect.gen(function* () {
        const { body } = yield* session.turn("hello")
        assert.isTrue(body.ok)
        amounts.push(body.cost?.amount ?? null)
      })
      yield* turn
      yield* turn
      yield* session.becomes("sleep", ({ process, state }) => state === "idle" && process.pid === null)
      yield* turn
      const { pid } = yield* installation.process("the victim", agent.holder)
      kill(pid, "SIGKILL")
      yield* until("the parent's knowledge", () => isReaped(pid))
      yield* turn
      yield* turn
      const [first, , , afterDeath, last] = amounts
      assert.isAbove(first ?? 0, 0)
      assert.isAbove(last ?? 0, 0)
      // Behind acpx nobody sees that death.
      if (agent.showsPid) assert.isNull(afterDeath)
      const told = amounts.reduce<number>((sum, amount) => sum + (amount ?? 0), 0)
      const { cost } = yield* session.get
      assert.strictEqual(cost?.currency, "USD")
      assert.approximately(cost?.amount ?? 0, told, 1e-9)
    })
  )
})

describe(codex.name, () => {
  it.live("tells no cost, and none is made up", () =>
    Effect.gen(function* () {
      const { session } = yield* open({ agent: codex.name })
      assert.isNull((yield* session.turn("hello")).body.cost)
      assert.isNull((yield* session.get).cost)
    })
  )
})
