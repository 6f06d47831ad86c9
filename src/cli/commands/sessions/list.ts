/** `troupe sessions list`: the newest sessions of a running server, as a table or a page of the API. */
import { Clock, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { cut } from "../../../domain/cut.ts"
import { SessionState } from "../../../domain/Session.ts"
import { SessionPage } from "../../../http/contract/sessions.ts"
import { jsonFlag, pageFlags, pageQuery } from "../../options.ts"
import { serverFlags, withClient } from "../../server.ts"
import { ago, note, oneLine, print, printJson, table } from "../../terminal.ts"

export const list = Command.make(
  "list",
  {
    state: Flag.Literals("state", [...SessionState.literals, "open"]).pipe(
      Flag.withDescription("Only those in this state; open is all that are not closed"),
      Flag.optional
    ),
    ...pageFlags,
    json: jsonFlag,
    ...serverFlags
  },
  Effect.fn(function* ({ cursor, json, limit, state, ...server }) {
    const query = {
      ...pageQuery({ cursor, limit }),
      ...Option.match(state, { onNone: () => ({}), onSome: (state) => ({ state }) })
    }
    const page = yield* withClient(server, (client) => client.sessions.list({ query }))
    if (json) return yield* printJson(yield* encodePage(page))
    if (page.count === 0) return yield* note("No sessions.")
    const now = yield* Clock.currentTimeMillis
    const rows = page.sessions.map((session) => [
      session.sessionId,
      session.agent,
      session.state,
      String(session.turnCount),
      session.process.pid === null ? session.process.state : String(session.process.pid),
      ago(session.createdAt, now),
      session.title === null ? "" : cut(oneLine(session.title), longestName)
    ])
    yield* print(table([["SESSION", "AGENT", "STATE", "TURNS", "PROCESS", "CREATED", "NAME"], ...rows]))
    if (page.nextCursor !== null) yield* note(`${page.count} in all. The next: --cursor ${page.nextCursor}`)
  })
).pipe(Command.withAlias("ls"), Command.withDescription("List sessions, newest first"))

const longestName = 60

const encodePage = Schema.encodeEffect(Schema.toCodecJson(SessionPage))
