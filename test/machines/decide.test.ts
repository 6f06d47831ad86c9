import { assert, describe, it } from "@effect/vitest"
import { assign, createMachine, fromPromise, setup } from "xstate"
import { begin, command, decide } from "../../machines/decide.ts"

const door = setup({
  types: { context: {} as { readonly knocks: number }, events: {} as { readonly type: "knock" | "open" | "count" } },
  delays: { patience: 1_000 },
  actions: {
    ring: command<{ readonly times: number }>({ delivery: "repeatable" }),
    count: assign({ knocks: ({ context }) => context.knocks + 1 })
  }
}).createMachine({
  context: { knocks: 0 },
  initial: "shut",
  states: {
    shut: {
      after: { patience: "locked" },
      on: {
        knock: { actions: ["count", { type: "ring", params: ({ context }) => ({ times: context.knocks }) }] },
        open: "passing",
        count: {}
      }
    },
    passing: { after: { patience: "locked" }, always: "open" },
    open: {},
    locked: { type: "final" }
  }
})

describe("decide", () => {
  it("sorts what came out: commands with their parameters, timers to arm, timers to cancel", () => {
    const born = begin(door, undefined)
    assert.deepStrictEqual(
      born.arm.map(({ delayMillis, event }) => [delayMillis, event.type.startsWith("xstate.after.patience")]),
      [[1_000, true]]
    )
    const knocked = decide(door, born.next, { type: "knock" })
    assert.deepStrictEqual(knocked.commands, [{ type: "ring", params: { times: 1 } }])
    assert.strictEqual(knocked.next.context.knocks, 1)
    const opened = decide(door, knocked.next, { type: "open" })
    assert.lengthOf(opened.cancel, 1)
  })

  it("leaves no trace of a state that was only passed through", () => {
    const opened = decide(door, begin(door, undefined).next, { type: "open" })
    assert.strictEqual(opened.next.value, "open")
    assert.deepStrictEqual(opened.arm, [])
    assert.strictEqual(opened.cancel.length, 1)
  })

  it("tells known-and-ignored from unknown, and changes nothing by either", () => {
    const { next } = begin(door, undefined)
    assert.isTrue(decide(door, next, { type: "count" }).handled)
    const opened = decide(door, next, { type: "open" }).next
    const refused = decide(door, opened, { type: "knock" })
    assert.isFalse(refused.handled)
    assert.strictEqual(refused.next, opened)
  })

  it("refuses machines that would act by themselves", () => {
    const eager = createMachine({ invoke: { src: fromPromise(() => Promise.resolve()) } })
    assert.throws(() => begin(eager, undefined), /children belong to the supervisor/)
  })
})
