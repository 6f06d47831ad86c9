/** Every state and every transition of the machines says in a sentence what it means. */
import { assert, describe, it } from "@effect/vitest"
import type { AnyStateMachine } from "xstate"
import { described } from "../../machines/describe.ts"
import { reviewMachine } from "../../machines/review/machine.ts"
import { sessionMachine, sessionMachineWith } from "../../machines/session/machine.ts"
import { nodesOf } from "./chart.ts"

const transitionsOf = (machine: AnyStateMachine) =>
  nodesOf(machine).flatMap((node) => [
    ...(node.always ?? []).map((each) => ({ name: `${node.id} always`, description: each.description })),
    ...[...node.transitions].flatMap(([event, drawn]) =>
      drawn.map((each, n) => ({ name: `${node.id} ${event} ${n}`, description: each.description }))
    )
  ])

describe.each([
  ["session", sessionMachine as AnyStateMachine],
  ["review", reviewMachine as AnyStateMachine]
])("the %s machine", (_name, machine) => {
  const all = [...nodesOf(machine).map(({ description, id }) => ({ name: id, description })), ...transitionsOf(machine)]

  it("has a sentence for each of its states and transitions, eventless ones and timers too", () => {
    assert.isAbove(transitionsOf(machine).length, 10)
    for (const { description, name } of all) {
      assert.match(description ?? "", /^[A-Z].+\.$/, name)
      assert.isBelow(description?.length ?? 0, 160, name)
    }
  })

  it("has no name of the code in them", () => {
    for (const { description, name } of all) assert.notMatch(description ?? "", /[a-z][A-Z]|[a-z]\.[a-z]|_/, name)
  })
})

it("the sentences say the bounds that an operator has set", () => {
  const machine = sessionMachineWith({
    poolWaitMillis: 45_000,
    hibernateAfterMillis: 5_400_000,
    restartIntensity: 3,
    restartPeriodMillis: 60_000,
    startWithinMillis: 90_000
  })
  const { states } = machine
  assert.include(states["turning"]?.states["queued"]?.description ?? "", "45 s")
  assert.include(states["turning"]?.states["starting"]?.description ?? "", "1.5 min")
  assert.include(states["idle"]?.states["awake"]?.description ?? "", "90 min")
})

describe("a chart with sentences", () => {
  const lamp = {
    off: { on: { pressed: [{ guard: "isDark", target: "on" }, "broken"] } },
    on: { always: { guard: "isDay", target: "off" }, after: { burnOut: "broken" }, on: { dusted: {} } },
    broken: {}
  }
  const sentences = {
    off: { state: "It is dark.", on: { pressed: { isDark: "It lights up.", else: "It breaks." } } },
    on: {
      state: "It is bright.",
      on: { always: "It is day.", "after burnOut": "It burnt out.", dusted: "It is clean." }
    },
    broken: { state: "It is over." }
  }

  it("has each at its place, and the chart as it was", () => {
    assert.deepStrictEqual(described(lamp, sentences) as unknown, {
      off: {
        description: "It is dark.",
        on: {
          pressed: [
            { guard: "isDark", target: "on", description: "It lights up." },
            { target: "broken", description: "It breaks." }
          ]
        }
      },
      on: {
        description: "It is bright.",
        always: { guard: "isDay", target: "off", description: "It is day." },
        after: { burnOut: { target: "broken", description: "It burnt out." } },
        on: { dusted: { description: "It is clean." } }
      },
      broken: { description: "It is over." }
    })
    assert.notProperty(lamp.broken, "description")
  })

  it("is refused where one is missing, or is about nothing", () => {
    const { broken: _, ...fewer } = sentences
    assert.throws(() => described(lamp, fewer), /No sentence says what this is: broken/)
    const off = { state: "It is dark.", on: { pressed: { isDark: "It lights up." } } }
    assert.throws(() => described(lamp, { ...sentences, off }), /off pressed else/)
    assert.throws(() => described(lamp, { ...sentences, lost: { state: "?" } }), /what the chart has not: lost/)
  })
})
