/** `troupe machines`: the state machines as they run, as pictures and data. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { reviewMachine } from "../../../machines/review/machine.ts"
import { sessionMachine } from "../../../machines/session/machine.ts"
import { layouts } from "../../inspect/chart/layouts.ts"
import * as Chart from "../../inspect/Chart.ts"
import { BadUsage } from "../failures.ts"
import { print } from "../terminal.ts"

const machines = { session: sessionMachine, review: reviewMachine } as const
const names = Object.keys(machines) as ReadonlyArray<keyof typeof machines>

export const machinesCommand = Command.make(
  "machines",
  {
    name: Argument.String("name").pipe(
      Argument.withDescription(`Which one: ${names.join(" or ")}; the first where none is named`),
      // One at a time: no program opens a file with two pictures, or with two JSON values.
      Argument.withDefault("session")
    ),
    format: Flag.Literals("format", Chart.formats).pipe(
      Flag.withDescription(
        "mermaid for a README, json for XState's createMachine, svg for a picture, dot for Graphviz: neato -n2 places it as the dashboard does"
      ),
      Flag.withDefault("mermaid" as const)
    ),
    state: Flag.String("state").pipe(
      Flag.withDescription("The state that is marked, such as turning.asking; not in JSON"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ format, name, state }) {
    const machine = names.find((each) => each === name)
    if (machine === undefined) {
      return yield* new BadUsage({ problem: `There is no machine ${name}. There is ${names.join(" and ")}.` })
    }
    const active = Option.getOrNull(state)
    const states = Chart.leavesOf(layouts[machine])
    if (active !== null && !states.includes(active)) {
      const problem = `The machine ${machine} has no state ${active} to be marked. It has ${states.join(", ")}.`
      return yield* new BadUsage({ problem })
    }
    yield* print(Chart.render(machines[machine], layouts[machine], format, active).trimEnd())
  })
).pipe(
  Command.withDescription("Print the state machines, as they run"),
  Command.withExamples([
    { command: "troupe machines session --format svg > session.svg", description: "A picture of a session's life" },
    {
      command: "troupe machines session --format svg --state turning.asking",
      description: "The same, with a state marked"
    }
  ])
)
