/** `troupe sessions move`: to another node of a cluster. */
import { Effect, Option, Schedule } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { jsonFlag } from "../../options.ts"
import { serverFlags, withClient } from "../../server.ts"
import { harmless, print, printJson } from "../../terminal.ts"
import { sessionId } from "./sessionId.ts"

const lookAgain = "500 millis"

export const move = Command.make(
  "move",
  {
    id: sessionId,
    node: Argument.String("node").pipe(
      Argument.withDescription("The node that is to have it; else the one with the most room"),
      Argument.optional
    ),
    wait: Flag.Boolean("wait").pipe(
      Flag.withDescription("Where a turn runs, wait for its end"),
      Flag.withDefault(false),
      Flag.withoutNegation
    ),
    json: jsonFlag,
    ...serverFlags
  },
  Effect.fn(function* ({ id, json, node, wait, ...server }) {
    const payload = Option.match(node, { onNone: () => ({}), onSome: (node) => ({ node }) })
    const result = yield* withClient(server, (client) =>
      client.admin.move({ params: { id }, payload }).pipe(
        Effect.retry({
          schedule: Schedule.spaced(lookAgain),
          while: (error) => wait && "error" in error && error.error === "turn_in_progress"
        })
      )
    )
    if (json) return yield* printJson({ ok: true, node: result.node, moved: result.moved })
    yield* print(
      result.moved ? `${id} is at ${harmless(result.node)} now.` : `${id} was at ${harmless(result.node)} already.`
    )
  })
).pipe(
  Command.withDescription(
    "Move a session to another node, with the admin's token; refused while a turn is with its agent"
  )
)
