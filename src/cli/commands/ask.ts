/**
 * `troupe ask`: one turn on any agent, whose answer is alone on stdout. The session is in this process and nothing of it is
 * kept, or on a server that `--url` names, and is closed with the command.
 */
import { Effect, Option, Redacted, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { randomBytes } from "node:crypto"
import { resolve } from "node:path"
import { AppName } from "../../domain/Ids.ts"
import { PermissionPolicy } from "../../domain/Permissions.ts"
import type { CreateSession } from "../../domain/Session.ts"
import { outcomeOf } from "../../domain/TurnOutcome.ts"
import { turnBody } from "../../http/turnBody.ts"
import { Sessions } from "../../services/Sessions.ts"
import type { Caller } from "../../services/Sessions.ts"
import * as Runtime from "../../wiring.ts"
import { noSuchAgent } from "../failures.ts"
import * as Logging from "../logging.ts"
import { makeNarrator } from "../narration.ts"
import { configuration, jsonFlag } from "../options.ts"
import { findServer, serverFlags, withClientOf } from "../server.ts"
import type { Server } from "../server.ts"
import { turnOn } from "../serverTurn.ts"
import type { TurnOutput } from "../serverTurn.ts"
import { given, promptArgument, promptOf, sessionFlags, streamFlag, timeoutFlag } from "../sessionFlags.ts"
import { printLine, write } from "../terminal.ts"
import { endTurn } from "../turnEnding.ts"

/** Nobody is there to be asked. */
const words = PermissionPolicy.literals.filter((word) => word !== "ask")

export const askCommand = Command.make(
  "ask",
  {
    prompt: promptArgument,
    ...sessionFlags,
    permissions: Flag.Literals("permissions", words).pipe(
      Flag.withDescription("What the agent may do (docs/permissions.md); what it would have to ask for is a no"),
      Flag.withDefault("approve_reads" as const)
    ),
    cwd: Flag.String("cwd").pipe(
      Flag.withDescription("Where it works; else here, or with --url in a fresh directory of the server's"),
      Flag.optional
    ),
    timeoutS: timeoutFlag,
    stream: streamFlag,
    json: jsonFlag,
    ...serverFlags
  },
  Effect.fn(function* ({
    agent,
    cwd,
    effort,
    json,
    mode,
    model,
    permissions,
    prompt,
    stream,
    thread,
    timeoutS,
    ...flags
  }) {
    const text = yield* promptOf(prompt)
    const session = { ...given({ agent, effort, mode, model, threadId: thread }), permissions }
    const asked = { prompt: text, timeoutS: Option.getOrUndefined(timeoutS) }
    if (Option.isNone(flags.url)) {
      const { settings } = yield* configuration(flags)
      const here = { ...session, cwd: resolve(Option.getOrElse(cwd, () => ".")) }
      return yield* askHere(here, asked, { json, stream }).pipe(
        Effect.provide(Runtime.layer({ ...settings, dataDir: ":memory:" }, { adminToken: unused })),
        Effect.provide(Logging.quiet)
      )
    }
    yield* askServer(yield* findServer(flags), { ...session, ...given({ cwd }) }, asked, { json, stream })
  })
).pipe(
  Command.withDescription(
    "Ask an agent once, and print its answer. Exits with 1 where the turn failed, 3 where it was interrupted, 124 where its deadline was over"
  ),
  Command.withExamples([
    { command: 'troupe ask --agent codex "What does this repository do?"' },
    { command: "git diff | troupe ask --agent claude - --json", description: "The prompt is read from stdin" }
  ])
)

/** Nothing in this process checks it. */
const unused = Option.some(Redacted.make(randomBytes(32).toString("hex")))

interface Asked {
  readonly prompt: string
  readonly timeoutS: number | undefined
}

const app = AppName.make("ask")
const caller: Caller = { _tag: "App", app }

/** The session is closed with the runtime, which leaves no process. */
const askHere = Effect.fnUntraced(function* (
  session: CreateSession,
  { prompt, timeoutS }: Asked,
  { json, stream }: TurnOutput
) {
  const sessions = yield* Sessions
  const { id } = yield* sessions.create(app, session).pipe(Effect.catchTag("UnknownAgent", noSuchAgent))
  const timeoutMillis = timeoutS === undefined ? undefined : timeoutS * 1000
  const turning = yield* sessions.submit(caller, id, { prompt, timeoutMillis })
  const narrator = makeNarrator()
  if (stream) {
    yield* Stream.runForEach(turning.events, ({ message, seq }) =>
      json ? printLine({ seq, ...message }) : write(narrator.narrate(message))
    )
    yield* write(narrator.end())
  }
  const outcome = outcomeOf(yield* turning.result)
  const body = turnBody(outcome)
  if (stream && json) yield* printLine({ outcome: body })
  yield* endTurn(outcome, body, { json: json && !stream, isPrinted: stream })
})

const askServer = (
  server: Server,
  session: Readonly<Record<string, string>>,
  { prompt, timeoutS }: Asked,
  output: TurnOutput
) =>
  Effect.acquireUseRelease(
    withClientOf(server, (client) => client.sessions.create({ headers: {}, payload: session })),
    ({ sessionId }) => turnOn(server, sessionId, { prompt, ...(timeoutS === undefined ? {} : { timeoutS }) }, output),
    ({ sessionId }) => withClientOf(server, (client) => client.sessions.close({ params: { id: sessionId } }))
  )
