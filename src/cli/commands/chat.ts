/**
 * `troupe chat`: a session in the terminal, with its agent's words as they come and its approvals asked in place.
 *
 * The session is in this process, on the data dir, or on a server that `--url` names. It is closed with the chat, and
 * none of its processes is left.
 */
import { Config, Effect, Option, Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import { randomBytes } from "node:crypto"
import { resolve } from "node:path"
import { PermissionPolicy } from "../../domain/Permissions.ts"
import * as Runtime from "../../wiring.ts"
import * as ActiveConversation from "../chat/ActiveConversation.ts"
import * as Chat from "../chat/Chat.ts"
import type { Conversation } from "../chat/Conversation.ts"
import * as Embedded from "../chat/embedded.ts"
import * as Piped from "../chat/Piped.ts"
import * as Remote from "../chat/remote.ts"
import * as Tty from "../chat/Tty.ts"
import * as Words from "../chat/words.ts"
import { BadUsage, CommandFailed, Stopped } from "../failures.ts"
import * as Logging from "../logging.ts"
import { configuration, dataDirFlags } from "../options.ts"
import { findServer, serverFlags, withClientOf } from "../server.ts"
import { oneLine, print } from "../terminal.ts"

const text = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

export const chatCommand = Command.make(
  "chat",
  {
    agent: text("agent", "Which agent; else the default one"),
    cwd: text("cwd", "Where it works; else here, or with --url in a fresh directory of the server's"),
    model: text("model", "Which model; else the agent's own default"),
    mode: text("mode", "Which mode of the agent's, such as plan; else its own"),
    effort: text("effort", "How much the model thinks, such as high; else the agent's own"),
    thread: text(
      "thread",
      "A conversation that the agent has already, by the agent's own id, to go on with; /threads lists them"
    ),
    permissions: Flag.Literals("permissions", PermissionPolicy.literals).pipe(
      Flag.withDescription("What the agent may do unasked (docs/permissions.md); else it asks you"),
      Flag.withDefault("ask" as const)
    ),
    url: Flag.String("url").pipe(
      Flag.withDescription("A server to have the session on; else it lives in this process (TROUPE_URL)"),
      Flag.withFallbackConfig(Config.String("TROUPE_URL")),
      Flag.optional
    ),
    token: serverFlags.token,
    ...dataDirFlags
  },
  Effect.fn(function* ({ agent, config, cwd, dataDir, effort, mode, model, permissions, thread, token, url }) {
    const request = { ...provided({ agent, model, mode, effort, threadId: thread }), permissions }
    if (Option.isSome(url)) {
      if (Option.isSome(dataDir) || Option.isSome(config)) return yield* new BadUsage({ problem: eitherOr })
      const remoteRequest = { ...request, ...provided({ cwd }) }
      const server = yield* findServer({ url, token, dataDir, config })
      return yield* withClientOf(server, (client) => chat(Remote.open(client, server.url, remoteRequest)))
    }
    const { databaseUrl, reviews, settings } = yield* configuration({ config, dataDir })
    // Nothing in this process checks an admin token; the one in the data dir is left to a server.
    const adminToken = Option.some(Redacted.make(randomBytes(32).toString("hex")))
    const localRequest = { ...request, cwd: resolve(Option.getOrElse(cwd, () => ".")) }
    yield* chat(Embedded.open(localRequest)).pipe(
      Effect.provide(Runtime.layer(settings, { adminToken, databaseUrl, reviews })),
      Effect.catchTag("LedgerUnusable", (unusable) => {
        const isHeld = unusable.problem.startsWith("is held")
        const problem = isHeld ? `${unusable.message} ${besideServer}` : unusable.message
        return Effect.fail(new CommandFailed({ code: "ledger_unusable", problem }))
      }),
      Effect.provide(Logging.quiet)
    )
  })
).pipe(
  Command.withDescription("Talk with an agent in the terminal"),
  Command.withExamples([
    { command: "troupe chat --agent codex", description: "Ctrl-C interrupts a turn, Ctrl-D closes the session" },
    { command: "troupe chat --url http://127.0.0.1:8420", description: "On a server, with a token in TROUPE_TOKEN" }
  ])
)

const eitherOr =
  "--url (or TROUPE_URL) names a server, and --data-dir and --config work without one. Give one or the other."
const besideServer = "To talk through a server that runs, name it with --url and set TROUPE_TOKEN."

/** The values of the flags that were given. */
const provided = (flags: Readonly<Record<string, Option.Option<string>>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(flags).flatMap(([name, value]) => (Option.isSome(value) ? [[name, value.value]] : []))
  )

const chat = <R>(open: Effect.Effect<Conversation, CommandFailed, R>) =>
  Effect.gen(function* () {
    const { exitCode, left } = yield* Effect.acquireUseRelease(
      Effect.map(open, ActiveConversation.make),
      converse,
      ({ close }) => close
    ).pipe(Effect.flatMap(({ current, exitCode }) => Effect.map(current().summary, (left) => ({ exitCode, left }))))
    const { pid } = left
    if (pid !== null)
      return yield* new CommandFailed({ code: "process_left", problem: `Process ${pid} is left. End it.` })
    yield* print(Words.quiet(`Closed after ${Words.usageText(left, null)}. No process is left.`))
    if (exitCode !== 0) return yield* new Stopped({ exitCode })
  })

const converse = Effect.fnUntraced(function* (active: ActiveConversation.ActiveConversation) {
  const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true
  const { agent, id } = active.current()
  yield* print(Words.quiet(`${oneLine(agent)}, session ${id}`))
  yield* print(Words.quiet("Ctrl-C interrupts a turn, Ctrl-D closes the session, /help tells more."))
  const exitCode = yield* Chat.talk(active, interactive ? Tty.make : Piped.make)
  yield* print(Words.quiet("Closing the session."))
  return { current: active.current, exitCode }
})
