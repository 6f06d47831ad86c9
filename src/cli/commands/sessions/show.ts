/** `troupe sessions show`: one session. */
import { Clock, Effect, Schema } from "effect"
import { Command } from "effect/cli"
import { Session } from "../../../http/contract/sessions.ts"
import { jsonFlag } from "../../options.ts"
import { serverFlags, withClient } from "../../server.ts"
import { ago, harmless, paint, print, printJson, table } from "../../terminal.ts"
import { sessionId } from "./sessionId.ts"

export const show = Command.make(
  "show",
  { id: sessionId, json: jsonFlag, ...serverFlags },
  Effect.fn(function* ({ id, json, ...server }) {
    const session = yield* withClient(server, (client) => client.sessions.get({ params: { id } }))
    if (json) return yield* printJson(yield* encodeSession(session))
    const rows = rowsOf(session, yield* Clock.currentTimeMillis)
    yield* print(table(rows, (cell, _row, column) => (column === 0 ? paint("dim", cell) : harmless(cell))))
  })
).pipe(Command.withDescription("Show one session"))

const encodeSession = Schema.encodeEffect(Schema.toCodecJson(Session))

const rowsOf = (
  { parked, process, usage, ...session }: typeof Session.Type,
  now: number
): ReadonlyArray<readonly [string, string]> => [
  ["session", session.sessionId],
  ...(session.title === null ? [] : [["title", session.title] as const]),
  ["agent", session.agent],
  ["state", session.state],
  ["directory", session.cwd],
  ["turns", String(session.turnCount)],
  ["created", ago(session.createdAt, now)],
  ["last turn", session.lastTurnAt === null ? "none yet" : ago(session.lastTurnAt, now)],
  ...(session.closedAt === null ? [] : [["closed", ago(session.closedAt, now)] as const]),
  ["process", `${process.state}${process.pid === null ? "" : ` (pid ${process.pid})`}, ${process.restarts} restarts`],
  ...(parked === null ? [] : [["parked", `until ${new Date(parked.until).toISOString()}: ${parked.reason}`] as const]),
  ["tokens", `${usage.inputTokens} in (${usage.cachedInputTokens} cached), ${usage.outputTokens} out`],
  ["meta", JSON.stringify(session.meta)]
]
