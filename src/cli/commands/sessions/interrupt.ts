/** `troupe sessions interrupt`: stops the running turn. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { jsonFlag } from "../../options.ts"
import { serverFlags, withClient } from "../../server.ts"
import { print, printJson } from "../../terminal.ts"
import { sessionId } from "./sessionId.ts"

export const interrupt = Command.make(
  "interrupt",
  { id: sessionId, json: jsonFlag, ...serverFlags },
  Effect.fn(function* ({ id, json, ...server }) {
    const { interrupted } = yield* withClient(server, (client) => client.sessions.interrupt({ params: { id } }))
    if (json) return yield* printJson({ ok: true, interrupted })
    yield* print(interrupted ? `The turn of ${id} is interrupted.` : `No turn of ${id} runs.`)
  })
).pipe(Command.withDescription("Stop the turn that runs; the session goes on"))
