/** `troupe inspect`: a fresh link that logs the admin in to the dashboard once, printed, and opened on a terminal. */
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { createApi } from "../../inspect/client/api.ts"
import { openBrowser } from "../openBrowser.ts"
import { jsonFlag } from "../options.ts"
import { asked, findServer, localServer, serverFlags, withToken } from "../server.ts"
import { note, print, printJson } from "../terminal.ts"

export const inspectCommand = Command.make(
  "inspect",
  {
    noOpen: Flag.Boolean("no-open").pipe(
      Flag.withDescription("Print the link, and open no browser"),
      Flag.withDefault(false),
      Flag.withoutNegation
    ),
    json: jsonFlag,
    ...serverFlags
  },
  Effect.fn(function* ({ json, noOpen, ...flags }) {
    const { token, url } = yield* findServer(flags)
    const api = createApi(`${url}/inspect/api/`, withToken(token))
    const link = yield* asked(url, () => api.link())
    if (json) return yield* printJson(link)
    yield* print(link.url)
    yield* note(`Logs the admin in once, until ${new Date(link.expires_at * 1000).toLocaleTimeString()}.`)
    if (noOpen || process.stdout.isTTY !== true) return
    const { dataDir, running } = yield* localServer(flags)
    if (running !== null && running.url === url) yield* Effect.promise(() => openBrowser(link.url, dataDir))
  })
).pipe(
  Command.withDescription("Print a link that logs you in to the dashboard once, and open it"),
  Command.withExamples([{ command: "troupe inspect", description: "Of the server that runs on the data dir" }])
)
