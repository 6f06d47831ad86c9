/**
 * `troupe chat`: a session in the terminal, with its agent's words as they come and its approvals asked in place.
 *
 * The session is on a server or in this process (`place.ts`). One that the chat has opened is closed with it, and none of
 * its processes is left, unless the chat is detached from it; one that the chat came back to stays open.
 */
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { resolve } from "node:path"
import { usageBody } from "../../http/turnBody.ts"
import * as ActiveConversation from "../chat/ActiveConversation.ts"
import * as Chat from "../chat/Chat.ts"
import type { Conversation } from "../chat/Conversation.ts"
import * as Embedded from "../chat/embedded.ts"
import * as JsonLines from "../chat/JsonLines.ts"
import * as Piped from "../chat/Piped.ts"
import { placeOf } from "../place.ts"
import * as Remote from "../chat/remote.ts"
import * as Tty from "../chat/Tty.ts"
import * as Words from "../chat/words.ts"
import { BadUsage, CommandFailed, Stopped } from "../failures.ts"
import * as Logging from "../logging.ts"
import { jsonFlag } from "../options.ts"
import * as RuntimeHere from "../runtimeHere.ts"
import { serverFlags, withClientOf } from "../server.ts"
import { given, sessionFlags } from "../sessionFlags.ts"
import { oneLine, print, printLine } from "../terminal.ts"

export const chatCommand = Command.make(
  "chat",
  {
    ...sessionFlags,
    cwd: Flag.String("cwd").pipe(
      Flag.withDescription("Where it works; else here, or with --url in a fresh directory of the server's"),
      Flag.optional
    ),
    session: Flag.String("session").pipe(
      Flag.withDescription("A session to come back to, by its id, or last for the newest that is open"),
      Flag.optional
    ),
    json: jsonFlag,
    ...serverFlags
  },
  Effect.fn(function* ({ session, config, dataDir, json, token, url, ...flags }) {
    const isNew = Option.isNone(session)
    const settings = yield* isNew ? Effect.succeed(given(flags)) : unlessGiven(flags)
    const cwd = resolve(Option.getOrElse(flags.cwd, () => "."))
    const place = yield* placeOf({ config, dataDir, token, url }, cwd)
    const { thread, ...rest } = { permissions: "ask", ...settings } as Request & { readonly thread?: string }
    const request = { ...rest, ...(thread === undefined ? {} : { threadId: thread }) }
    const id = Option.getOrNull(session)
    if (place._tag === "Here") return yield* here(place, { ...request, cwd }, id, json)
    const { isLocal, server } = place
    const there = isLocal ? { ...request, cwd } : request
    yield* withClientOf(server, (client) =>
      chat(Remote.open(client, server, there, id), !isNew, { json, where: ` on ${server.url}` })
    )
  })
).pipe(
  Command.withDescription("Talk with an agent in the terminal"),
  Command.withExamples([
    { command: "troupe chat --agent codex", description: "Ctrl-C interrupts a turn, Ctrl-D closes the session" },
    { command: "troupe chat --session last", description: "Come back to a session that /detach left open" },
    { command: "troupe chat --json < turns.txt", description: "A turn for each line, a line of JSON for each event" },
    { command: "troupe chat --url http://10.0.0.5:8420", description: "On a server, with a token in TROUPE_TOKEN" }
  ])
)

interface Request extends Readonly<Record<string, string>> {}

/** Where a chat in this process worked is where its data is. */
const unlessGiven = Effect.fnUntraced(function* ({ cwd: _, ...flags }: Parameters<typeof given>[0]) {
  const [name] = Object.keys(given(flags))
  if (name === undefined) return {}
  const problem = `--session goes on with a session as it is, and --${name} is for a new one. /help of the chat says what can be changed.`
  return yield* new BadUsage({ problem })
})

const here = Effect.fnUntraced(function* (
  place: RuntimeHere.Here,
  request: Parameters<typeof Embedded.open>[0],
  session: string | null,
  json: boolean
) {
  yield* chat(Embedded.open(request, session), session !== null, { json, where: "" }).pipe(
    Effect.provide(RuntimeHere.layer(place)),
    Effect.catchTag("LedgerUnusable", (error) => Effect.fail(RuntimeHere.unusable(error, besideOthers))),
    Effect.provide(Logging.quiet)
  )
})

const besideOthers =
  "Several chats share what troupe serve runs on: start it here, or name another by --url and TROUPE_TOKEN."

interface Output {
  readonly json: boolean
  /** On which server. */
  readonly where: string
}

const chat = <R>(open: Effect.Effect<Conversation, CommandFailed, R>, wasThere: boolean, output: Output) =>
  Effect.gen(function* () {
    const { active, exitCode } = yield* Effect.acquireUseRelease(
      Effect.map(open, (conversation) => ActiveConversation.make(conversation, wasThere)),
      (active) => converse(active, output),
      ({ end }) => end
    )
    const { id, summary } = active.current()
    const left = yield* summary
    const { pid } = left
    if (output.json) {
      const closed = !active.staysOpen()
      yield* printLine({ session_id: id, closed, turns: left.turns, usage: usageBody(left.usage) })
    }
    if (active.staysOpen()) {
      if (!output.json)
        yield* print(
          Words.quiet(`Left open after ${Words.usageText(left, null)}. troupe chat --session ${id} goes on.`)
        )
    } else if (pid !== null) {
      return yield* new CommandFailed({ code: "process_left", problem: `Process ${pid} is left. End it.` })
    } else if (!output.json)
      yield* print(Words.quiet(`Closed after ${Words.usageText(left, null)}. No process is left.`))
    if (exitCode !== 0) return yield* new Stopped({ exitCode })
  })

const converse = Effect.fnUntraced(function* (active: ActiveConversation.ActiveConversation, { json, where }: Output) {
  if (json) {
    yield* printLine({ session_id: active.current().id, agent: active.current().agent })
    return { active, exitCode: yield* Chat.talk(active, JsonLines.make) }
  }
  const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true
  const { agent, id } = active.current()
  yield* print(Words.quiet(`${oneLine(agent)}, session ${id}${where}`))
  yield* print(Words.quiet(Words.keysText(active.staysOpen())))
  const exitCode = yield* Chat.talk(active, interactive ? Tty.make : Piped.make)
  if (!active.staysOpen()) yield* print(Words.quiet("Closing the session."))
  return { active, exitCode }
})
