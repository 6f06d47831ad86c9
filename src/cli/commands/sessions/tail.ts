/** `troupe sessions tail`: all that happens in a session, as it happens; with `--json` a line of JSON for each event. */
import { Effect, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { makeNarrator } from "../../narration.ts"
import { jsonFlag } from "../../options.ts"
import { serverFlags, withClient } from "../../server.ts"
import { printLine, write } from "../../terminal.ts"
import { sessionId } from "./sessionId.ts"

export const tail = Command.make(
  "tail",
  {
    id: sessionId,
    after: Flag.Int("after").pipe(
      Flag.withDescription("Begin behind the event with this number; else with the first"),
      Flag.withDefault(0)
    ),
    json: jsonFlag,
    ...serverFlags
  },
  Effect.fn(function* ({ after, id, json, ...server }) {
    const narrator = makeNarrator()
    const query = { after: String(after) }
    yield* withClient(server, (client) =>
      Effect.gen(function* () {
        // Says what is wrong with the session or the server, which a stream that is none does not.
        yield* client.sessions.get({ params: { id } })
        const events = yield* client.sessions.events({ params: { id }, query, headers: {} })
        yield* Stream.runForEach(events, (event) =>
          json ? printLine({ seq: Number(event.id), ...event.data }) : write(narrator.narrate(event.data))
        )
      })
    )
    yield* write(narrator.end())
  })
).pipe(Command.withDescription("Follow what happens in a session, from its first event, until it is closed"))
