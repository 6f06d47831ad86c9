/** `troupe sessions`: lists, shows, follows, closes and moves the sessions of a running server. Over HTTP, with an app's token. */
import { Clock, Effect, Option, Schedule, Schema, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { SessionState } from "../../domain/Session.ts"
import { ThreadList } from "../../http/contract/agents.ts"
import { Session, SessionPage } from "../../http/contract/sessions.ts"
import { makeNarrator } from "../narration.ts"
import { jsonFlag } from "../options.ts"
import { serverFlags, withClient } from "../server.ts"
import { threadTable } from "../threadTable.ts"
import { ago, harmless, paint, print, printJson, table, write } from "../terminal.ts"

const id = Argument.String("id").pipe(Argument.withDescription("A session's id"))

const list = Command.make(
  "list",
  {
    ...serverFlags,
    state: Flag.Literals("state", [...SessionState.literals, "open"]).pipe(
      Flag.withDescription("Only those in this state; open is all that are not closed"),
      Flag.optional
    ),
    limit: Flag.Int("limit").pipe(Flag.withDescription("How many at most, 1 to 200"), Flag.withDefault(50)),
    json: jsonFlag
  },
  Effect.fn(function* ({ json, limit, state, ...server }) {
    const query = { limit, ...Option.match(state, { onNone: () => ({}), onSome: (state) => ({ state }) }) }
    const page = yield* withClient(server, (client) => client.sessions.list({ query }))
    if (json) return yield* printJson(yield* encodePage(page))
    if (page.count === 0) return yield* print("No sessions.")
    const now = yield* Clock.currentTimeMillis
    const rows = page.sessions.map((session) => [
      session.sessionId,
      session.agent,
      session.state,
      String(session.turnCount),
      session.process.pid === null ? session.process.state : String(session.process.pid),
      ago(session.createdAt, now)
    ])
    yield* print(table([["SESSION", "AGENT", "STATE", "TURNS", "PROCESS", "CREATED"], ...rows]))
    const rest = page.count - page.sessions.length
    if (rest > 0) yield* print(paint("dim", `… and ${rest} more; --limit shows up to 200`))
  })
).pipe(Command.withDescription("List sessions, newest first"))

const show = Command.make(
  "show",
  { id, ...serverFlags, json: jsonFlag },
  Effect.fn(function* ({ id, json, ...server }) {
    const session = yield* withClient(server, (client) => client.sessions.get({ params: { id } }))
    if (json) return yield* printJson(yield* encodeSession(session))
    const now = yield* Clock.currentTimeMillis
    const { parked, process, usage } = session
    const rows: ReadonlyArray<readonly [string, string]> = [
      ["session", session.sessionId],
      ["agent", session.agent],
      ["state", session.state],
      ["turns", String(session.turnCount)],
      ["created", ago(session.createdAt, now)],
      ["last turn", session.lastTurnAt === null ? "none yet" : ago(session.lastTurnAt, now)],
      ...(session.closedAt === null ? [] : [["closed", ago(session.closedAt, now)] as const]),
      [
        "process",
        `${process.state}${process.pid === null ? "" : ` (pid ${process.pid})`}, ${process.restarts} restarts`
      ],
      ...(parked === null
        ? []
        : [["parked", `until ${new Date(parked.until).toISOString()}: ${parked.reason}`] as const]),
      ["tokens", `${usage.inputTokens} in (${usage.cachedInputTokens} cached), ${usage.outputTokens} out`],
      ["meta", JSON.stringify(session.meta)]
    ]
    yield* print(table(rows, (cell, _row, column) => (column === 0 ? paint("dim", cell) : harmless(cell))))
  })
).pipe(Command.withDescription("Show one session"))

const tail = Command.make(
  "tail",
  {
    id,
    ...serverFlags,
    after: Flag.Int("after").pipe(
      Flag.withDescription("Begin behind the event with this number; else with the first"),
      Flag.withDefault(0)
    ),
    json: jsonFlag
  },
  Effect.fn(function* ({ after, id, json, ...server }) {
    const narrator = makeNarrator()
    const query = { after: String(after) }
    yield* withClient(server, (client) =>
      Effect.gen(function* () {
        const events = yield* client.sessions.events({ params: { id }, query, headers: {} })
        yield* Stream.runForEach(events, (event) =>
          json
            ? write(`${JSON.stringify({ seq: Number(event.id), ...event.data })}\n`)
            : write(narrator.narrate(event.data))
        )
      })
    )
    yield* write(narrator.end())
  })
).pipe(Command.withDescription("Follow what happens in a session, from its first event, until it is closed"))

const threads = Command.make(
  "threads",
  {
    ...serverFlags,
    agent: Flag.String("agent").pipe(Flag.withDescription("Whose conversations")),
    cwd: Flag.String("cwd").pipe(Flag.withDescription("Only those of this directory; else of all"), Flag.optional),
    limit: Flag.Int("limit").pipe(Flag.withDescription("How many at most, 1 to 200"), Flag.withDefault(50)),
    json: jsonFlag
  },
  Effect.fn(function* ({ agent, cwd, json, limit, ...server }) {
    const query = { limit, ...Option.match(cwd, { onNone: () => ({}), onSome: (cwd) => ({ cwd }) }) }
    const page = yield* withClient(server, (client) => client.agents.threads({ params: { name: agent }, query }))
    if (json) return yield* printJson(yield* encodeThreads(page))
    if (page.threads.length === 0) return yield* print("No conversations.")
    yield* print(threadTable(page.threads, yield* Clock.currentTimeMillis))
    if (page.nextCursor !== null) yield* print(paint("dim", "… and older ones; --limit shows up to 200"))
  })
).pipe(
  Command.withDescription("List the conversations that an agent has, newest first, for the --thread of troupe chat")
)

const close = Command.make(
  "close",
  { id, ...serverFlags, json: jsonFlag },
  Effect.fn(function* ({ id, json, ...server }) {
    const closed = yield* withClient(server, (client) => client.sessions.close({ params: { id } }))
    if (json) return yield* printJson({ ok: true, ...(closed.alreadyClosed ? { already_closed: true } : {}) })
    yield* print(closed.alreadyClosed ? `${id} was closed before.` : `${id} is closed.`)
  })
).pipe(Command.withDescription("Close a session; a running turn is interrupted and recorded"))

const move = Command.make(
  "move",
  {
    id,
    node: Argument.String("node").pipe(
      Argument.withDescription("The node that is to have it; else the one with the most room"),
      Argument.optional
    ),
    ...serverFlags,
    wait: Flag.Boolean("wait").pipe(
      Flag.withDescription("Where a turn runs, wait for its end"),
      Flag.withDefault(false),
      Flag.withoutNegation
    ),
    json: jsonFlag
  },
  Effect.fn(function* ({ id, json, node, wait, ...server }) {
    const payload = Option.match(node, { onNone: () => ({}), onSome: (node) => ({ node }) })
    const result = yield* withClient(server, (client) =>
      client.admin.move({ params: { id }, payload }).pipe(
        Effect.retry({
          schedule: Schedule.spaced(lookAgain),
          while: (error) => wait && "error" in error && error.error === "turn_in_progress"
        })
      )
    )
    if (json) return yield* printJson({ ok: true, node: result.node, moved: result.moved })
    yield* print(
      result.moved ? `${id} is at ${harmless(result.node)} now.` : `${id} was at ${harmless(result.node)} already.`
    )
  })
).pipe(
  Command.withDescription(
    "Move a session to another node, with the admin's token; refused while a turn is with its agent"
  )
)

const lookAgain = "500 millis"

const encodePage = Schema.encodeEffect(Schema.toCodecJson(SessionPage))
const encodeThreads = Schema.encodeEffect(Schema.toCodecJson(ThreadList))
const encodeSession = Schema.encodeEffect(Schema.toCodecJson(Session))

export const sessionsCommand = Command.make("sessions").pipe(
  Command.withDescription("Look at and close the sessions, and list the agents' conversations, of a running server"),
  Command.withSubcommands([list, show, tail, threads, close, move])
)
