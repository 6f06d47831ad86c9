/** `troupe sessions create`: a session that stays, for the other commands and for apps. Its id is on stdout. */
import { Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { CreatedSession } from "../../../http/contract/sessions.ts"
import { jsonFlag } from "../../options.ts"
import { serverFlags, withClient } from "../../server.ts"
import { given, sessionFlags } from "../../sessionFlags.ts"
import { print, printJson } from "../../terminal.ts"

export const create = Command.make(
  "create",
  {
    ...sessionFlags,
    cwd: Flag.String("cwd").pipe(
      Flag.withDescription("Where it works, on the server's machine; else in a fresh directory of the server's"),
      Flag.optional
    ),
    system: Flag.String("system").pipe(Flag.withDescription("A system prompt"), Flag.optional),
    meta: Flag.KeyValuePair("meta").pipe(
      Flag.withDescription("Kept with the session, such as --meta ticket=T-1; repeatable"),
      Flag.optional
    ),
    json: jsonFlag,
    ...serverFlags
  },
  Effect.fn(function* ({ agent, cwd, effort, json, meta, mode, model, permissions, system, thread, ...server }) {
    const payload = {
      ...given({ agent, cwd, effort, mode, model, systemPrompt: system, threadId: thread }),
      ...Option.match(permissions, { onNone: () => ({}), onSome: (permissions) => ({ permissions }) }),
      ...Option.match(meta, { onNone: () => ({}), onSome: (meta) => ({ meta }) })
    }
    const created = yield* withClient(server, (client) => client.sessions.create({ headers: {}, payload }))
    yield* json ? printJson(yield* encodeCreated(created)) : print(created.sessionId)
  })
).pipe(
  Command.withDescription("Open a session, and print its id"),
  Command.withExamples([{ command: "ID=$(troupe sessions create --agent codex --cwd /srv/repo)" }])
)

const encodeCreated = Schema.encodeEffect(Schema.toCodecJson(CreatedSession))
