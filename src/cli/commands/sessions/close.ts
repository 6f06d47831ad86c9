/** `troupe sessions close`. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { jsonFlag } from "../../options.ts"
import { serverFlags, withClient } from "../../server.ts"
import { print, printJson } from "../../terminal.ts"
import { sessionId } from "./sessionId.ts"

export const close = Command.make(
  "close",
  { id: sessionId, json: jsonFlag, ...serverFlags },
  Effect.fn(function* ({ id, json, ...server }) {
    const closed = yield* withClient(server, (client) => client.sessions.close({ params: { id } }))
    if (json) return yield* printJson({ ok: true, ...(closed.alreadyClosed ? { already_closed: true } : {}) })
    yield* print(closed.alreadyClosed ? `${id} was closed before.` : `${id} is closed.`)
  })
).pipe(Command.withDescription("Close a session; a running turn is interrupted and recorded"))
