/** `troupe sessions unpark`: lets a session that was given up for a while try again now. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { jsonFlag } from "../../options.ts"
import { serverFlags, withClient } from "../../server.ts"
import { print, printJson } from "../../terminal.ts"
import { sessionId } from "./sessionId.ts"

export const unpark = Command.make(
  "unpark",
  { id: sessionId, json: jsonFlag, ...serverFlags },
  Effect.fn(function* ({ id, json, ...server }) {
    const { unparked } = yield* withClient(server, (client) => client.admin.unpark({ params: { id } }))
    if (json) return yield* printJson({ ok: true, unparked })
    yield* print(unparked ? `${id} may try again.` : `${id} is not parked.`)
  })
).pipe(Command.withDescription("Let a parked session try again now, with the admin's token"))
