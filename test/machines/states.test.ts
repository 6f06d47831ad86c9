/** What the states, the commands and the classes of failure mean, held against the machine itself. */
import { assert, describe, it } from "@effect/vitest"
import { begin } from "../../machines/decide.ts"
import { failurePolicy } from "../../machines/session/failures.ts"
import { deliveries, restore, sessionMachine } from "../../machines/session/machine.ts"
import { delayName, stateInfo, stateName, topState } from "../../machines/session/stateInfo.ts"
import { FailureClass } from "../../src/domain/Turn.ts"
import { SessionState } from "../../src/domain/Session.ts"
import { leavesOf, timersOf } from "./chart.ts"

const names = Object.values(stateInfo).map(({ name }) => name)
const tagged = (tag: string) =>
  names.filter((name) => ([...stateInfo[name].tags] as Array<string>).includes(tag)).sort()

describe("the meaning of the session machine's states", () => {
  it("is on every state of the chart", () => {
    assert.deepStrictEqual([...names].sort(), [...leavesOf(sessionMachine)].sort())
  })

  it("sorts each state under one of the states that the API knows", () => {
    assert.deepStrictEqual(new Set(names.map(topState)), new Set(SessionState.literals))
  })

  it("marks the states in which a turn can be steered, is not handed over yet, or is asked about", () => {
    assert.deepStrictEqual(tagged("steerable"), ["turning.asking", "turning.running"])
    assert.deepStrictEqual(tagged("promptPending"), ["turning.queued", "turning.starting"])
    assert.deepStrictEqual(tagged("approvalsOpen"), ["turning.asking"])
    assert.deepStrictEqual(tagged("agentAtWork"), ["turning.asking", "turning.probing", "turning.running"])
    assert.deepStrictEqual(tagged("turnOpen"), names.filter((name) => topState(name) === "turning").sort())
    assert.deepStrictEqual(tagged("retiring"), names.filter((name) => topState(name) === "retiring").sort())
    assert.deepStrictEqual(tagged("unloadable"), ["closed", "idle.asleep"])
    assert.deepStrictEqual(tagged("evictable"), ["idle.awake"])
  })

  it("is the same on a snapshot that was stored and restored", () => {
    const fresh = begin(sessionMachine, undefined).next
    const restored = restore(sessionMachine, JSON.parse(JSON.stringify(sessionMachine.getPersistedSnapshot(fresh))))
    assert.isTrue(restored.hasTag("unloadable"))
    assert.strictEqual(stateName(restored), "idle.asleep")
  })

  it("names the delay of each of the machine's timers, and no other event", () => {
    const delays = Object.keys(sessionMachine.implementations.delays ?? {})
    assert.deepStrictEqual(new Set(timersOf(sessionMachine).map(({ type }) => delayName(type))), new Set(delays))
    assert.isNull(delayName("turn.submitted"))
    assert.isNull(delayName("approval apr_1"))
  })
})

describe("the session machine's commands", () => {
  it("hand a prompt at most once, settle turns in the commit, and repeat everything else", () => {
    const delivered = (delivery: string) =>
      Object.entries(deliveries)
        .filter(([, each]) => each === delivery)
        .map(([type]) => type)
        .sort()
    assert.deepStrictEqual(delivered("once"), ["handPrompt"])
    assert.deepStrictEqual(delivered("inCommit"), ["openTurn", "settleQueued", "settleTurn"])
    assert.deepStrictEqual(delivered("repeatable"), [
      "askToExit",
      "endProcess",
      "interruptTurn",
      "releaseSlot",
      "startProcess",
      "takeSlot",
      "terminateProcess"
    ])
  })
})

describe("the failure policy", () => {
  it("has a row for each class, and never spends the restart budget on what only a person can mend", () => {
    assert.deepStrictEqual(Object.keys(failurePolicy).sort(), [...FailureClass.literals].sort())
    const row = (name: "retryable" | "keepsProcess" | "countsAgainstBudget") =>
      FailureClass.literals.filter((each) => !failurePolicy[each][name])
    assert.deepStrictEqual(row("retryable"), ["auth", "config", "conversation"])
    assert.deepStrictEqual(row("countsAgainstBudget"), ["auth", "quota", "config", "conversation", "limit"])
    assert.deepStrictEqual(row("keepsProcess"), [
      "auth",
      "quota",
      "config",
      "conversation",
      "crash",
      "protocol",
      "timeout",
      "limit"
    ])
  })
})
