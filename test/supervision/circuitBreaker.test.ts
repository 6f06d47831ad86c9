/** The circuit breaker of an agent kind's starts. */
import { assert, describe, it } from "@effect/vitest"
import * as Circuits from "../../src/supervision/CircuitBreaker.ts"
import { AgentFailed } from "../../src/agent/Agent.ts"

describe("the circuit of an agent kind", () => {
  const failure = (kind: "crash" | "auth") => new AgentFailed({ class: kind, message: "no such file" })

  it("opens after five failed starts in a row, for that kind alone, and lets one probe through after its time", () => {
    const circuits = Circuits.make()
    for (let n = 0; n < 4; n++) circuits.failed("codex", failure("crash"), n)
    assert.isNull(circuits.check("codex", 5))
    circuits.failed("codex", failure("crash"), 10)
    assert.include(circuits.check("codex", 11)?.message, "no such file")
    assert.isNull(circuits.check("claude", 11))
    assert.isNull(circuits.check("codex", 30_010))
    assert.isNotNull(circuits.check("codex", 30_011))
    circuits.started("codex")
    assert.isNull(circuits.check("codex", 30_012))
  })

  it("does not count what only a person can mend", () => {
    const circuits = Circuits.make()
    for (let n = 0; n < 9; n++) circuits.failed("codex", failure("auth"), n)
    assert.isNull(circuits.check("codex", 10))
  })
})
