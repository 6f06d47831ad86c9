/** The circuit breaker of an agent kind's starts. */
import { assert, describe, it } from "@effect/vitest"
import * as CircuitBreaker from "../../src/supervision/CircuitBreaker.ts"
import { AgentFailed } from "../../src/agent/Agent.ts"

describe("the circuit breaker", () => {
  const failure = (kind: "crash" | "auth") => new AgentFailed({ class: kind, message: "no such file" })

  it("the circuit of an agent kind opens after five failed starts in a row, and lets one probe through after its time", () => {
    const breaker = CircuitBreaker.make()
    for (let n = 0; n < 4; n++) breaker.failed("codex", failure("crash"), n)
    assert.isNull(breaker.check("codex", 5))
    assert.deepStrictEqual(breaker.open(5), [])
    breaker.failed("codex", failure("crash"), 10)
    assert.include(breaker.check("codex", 11)?.message, "no such file")
    assert.isNull(breaker.check("claude", 11))
    assert.deepStrictEqual(breaker.open(11), [{ agent: "codex", until: 30_010, reason: "no such file" }])
    assert.deepStrictEqual(breaker.open(30_010), [])
    assert.isNull(breaker.check("codex", 30_010))
    assert.isNotNull(breaker.check("codex", 30_011))
    assert.deepStrictEqual([...breaker.states(11)], [["codex", true]])
    breaker.started("codex", 250)
    assert.deepStrictEqual([...breaker.states(12)], [["codex", false]])
    assert.deepInclude(breaker.starts("codex"), { succeeded: 1, failed: 5, p95Millis: 250 })
    assert.isNull(breaker.check("codex", 30_012))
  })

  it("the circuit breaker does not count failures that only a person can repair", () => {
    const breaker = CircuitBreaker.make()
    for (let n = 0; n < 9; n++) breaker.failed("codex", failure("auth"), n)
    assert.isNull(breaker.check("codex", 10))
  })
})
