/** `troupe machines`: the state machines that run, as pictures and data. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { sessionMachine } from "../../../machines/session.ts"
import * as Chart from "../../inspect/Chart.ts"
import { BadUsage } from "../failures.ts"
import { print } from "../terminal.ts"

const machines = { session: sessionMachine } as const
const names = Object.keys(machines) as ReadonlyArray<keyof typeof machines>

export const machinesCommand = Command.make(
  "machines",
  {
    name: Argument.String("name").pipe(
      Argument.withDescription(`Which one: ${names.join(", ")}; all of them where none is named`),
      Argument.optional
    ),
    format: Flag.Literals("format", Chart.formats).pipe(
      Flag.withDescription("mermaid for a README, json for XState's createMachine, svg or dot for Graphviz"),
      Flag.withDefault("mermaid" as const)
    )
  },
  Effect.fn(function* ({ format, name }) {
    const wanted = Option.getOrUndefined(name)
    const chosen = wanted === undefined ? names : names.filter((each) => each === wanted)
    if (chosen.length === 0) {
      return yield* new BadUsage({ problem: `There is no machine ${wanted}. There is ${names.join(", ")}.` })
    }
    for (const each of chosen) yield* print((yield* Chart.render(machines[each], format)).trimEnd())
  })
).pipe(
  Command.withDescription("Print the state machines, as they run"),
  Command.withExamples([
    { command: "troupe machines session --format svg > session.svg", description: "A picture of a session's life" }
  ])
)
