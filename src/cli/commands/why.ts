/** `troupe why`: why a session does not move, by what its processes do. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { createApi } from "../../inspect/client/api.ts"
import { jsonFlag } from "../options.ts"
import { asked, findServer, serverFlags, withToken } from "../server.ts"
import { harmless, print, printJson } from "../terminal.ts"
import { sessionId } from "./sessions/sessionId.ts"

export const whyCommand = Command.make(
  "why",
  { id: sessionId, json: jsonFlag, ...serverFlags },
  Effect.fn(function* ({ id, json, ...flags }) {
    const { token, url } = yield* findServer(flags)
    const api = createApi(`${url}/inspect/api/`, withToken(token))
    const diagnosis = yield* asked(url, () => api.why(id))
    if (json) return yield* printJson(diagnosis)
    yield* print(diagnosis.markdown.split("\n").map(harmless).join("\n").trimEnd())
  })
).pipe(
  Command.withDescription("Say why a session does not move: what it waits for, and what its processes do"),
  Command.withExamples([
    { command: "troupe why ses_…", description: "As Markdown, to be put into an issue or given to another agent" }
  ])
)
