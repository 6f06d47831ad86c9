/** `troupe sessions threads`: the conversations that an agent has. */
import { Clock, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { ThreadList } from "../../../http/contract/agents.ts"
import { jsonFlag, pageFlags, pageQuery } from "../../options.ts"
import { serverFlags, withClient } from "../../server.ts"
import { note, print, printJson } from "../../terminal.ts"
import { threadTable } from "../../threadTable.ts"

export const threads = Command.make(
  "threads",
  {
    agent: Flag.String("agent").pipe(Flag.withDescription("Whose conversations")),
    cwd: Flag.String("cwd").pipe(Flag.withDescription("Only those of this directory; else of all"), Flag.optional),
    ...pageFlags,
    json: jsonFlag,
    ...serverFlags
  },
  Effect.fn(function* ({ agent, cursor, cwd, json, limit, ...server }) {
    const query = {
      ...pageQuery({ cursor, limit }),
      ...Option.match(cwd, { onNone: () => ({}), onSome: (cwd) => ({ cwd }) })
    }
    const page = yield* withClient(server, (client) => client.agents.threads({ params: { name: agent }, query }))
    if (json) return yield* printJson(yield* encodeThreads(page))
    if (page.threads.length === 0) return yield* note("No conversations.")
    yield* print(threadTable(page.threads, yield* Clock.currentTimeMillis))
    if (page.nextCursor !== null) yield* note(`There are older ones: --cursor ${page.nextCursor}`)
  })
).pipe(
  Command.withDescription("List the conversations that an agent has, newest first, for the --thread of troupe chat")
)

const encodeThreads = Schema.encodeEffect(Schema.toCodecJson(ThreadList))
